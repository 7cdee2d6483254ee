//! `BoardService`.

use doudi_views::boards::{Board, EXPORT_ROWS_MAX, Figure, Query};
use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

use super::{
    Api,
    sending::{self, Sending},
};
use crate::{
    call::Call,
    convert::{board, token},
    error::{Failure, Reason, Refusal},
    export::{self, Table},
    proto::{self as pb, board_service_server::BoardService, export_board_request::Content},
};

impl Api {
    async fn board(
        &self,
        call: &Call,
        request: &pb::GetBoardRequest,
    ) -> Result<(Figure, pb::GetBoardResponse), Failure> {
        let now = self.instant(request.as_of.as_ref()).await?;
        let before = match request.compare.as_ref().and_then(|compare| compare.as_of.as_ref()) {
            None => now,
            given => self.instant(given).await?,
        };
        let asked = board::board(request, &call.caller, (now, before))?;
        let counted = self.counted(call, &asked.now).await?;
        let before = match &asked.before {
            Some(before) => Some(self.counted(call, before).await?),
            None => None,
        };
        let Query { filter, group_by } = &asked.now.0;
        Ok((filter.figure, board::of_board(group_by, &counted, before.as_ref())))
    }

    async fn counted(
        &self,
        call: &Call,
        (query, reflect): &board::Asked,
    ) -> Result<Board, Failure> {
        let fresh = self.reflecting(call, &[query.filter.figure.view()], *reflect).await?;
        Ok(self.0.views.board(query, fresh).await?)
    }

    async fn board_rows(
        &self,
        call: &Call,
        request: &pb::ListBoardRowsRequest,
    ) -> Result<pb::ListBoardRowsResponse, Failure> {
        let (now, tokens) = (self.instant(request.as_of.as_ref()).await?, &self.0.pages);
        let list = board::list(request, &call.caller, tokens, now)?;
        let figure = list.query.filter.figure;
        let fresh = self.reflecting(call, &[figure.view()], list.reflect).await?;
        let page = self.0.views.board_rows(&list.query, fresh).await?;
        Ok(board::page(figure, &page, (list.binding, tokens), self.page_bytes_max()))
    }

    /// The file is made whole before any of it is sent; how many there are at once is bounded as for
    /// other contents that go out.
    async fn board_file(
        &self,
        call: &Call,
        request: &pb::ExportBoardRequest,
    ) -> Result<Sending<pb::ExportBoardResponse>, Failure> {
        let (format, content) = board::export(request)?;
        let place = self.0.attachments.download_place(&call.caller.subject).await;
        let place = place.ok_or(Reason::ShuttingDown)?;
        let (table, position) = match content {
            Content::Board(asked) => {
                let (figure, board) = self.board(call, asked).await?;
                (export::of_board(figure, &board), board.position)
            }
            Content::Rows(asked) => self.all_rows(call, asked).await?,
        };
        let made = spawn_blocking(move || table.write(format)).await.map_err(Failure::fault)?;
        let content = made.map_err(Failure::fault)?;
        let head = pb::ExportBoardResponse { position, ..<_>::default() };
        let chunk = |chunk| pb::ExportBoardResponse { chunk, ..<_>::default() };
        let parts = std::iter::once(head).chain(sending::chunks(content).map(chunk));
        Ok(sending::start(parts, place, call.deadline))
    }

    async fn all_rows(
        &self,
        call: &Call,
        request: &pb::ListBoardRowsRequest,
    ) -> Result<(Table, String), Failure> {
        let (now, tokens) = (self.instant(request.as_of.as_ref()).await?, &self.0.pages);
        let list = board::list(request, &call.caller, tokens, now)?;
        let figure = list.query.filter.figure;
        let fresh = self.reflecting(call, &[figure.view()], list.reflect).await?;
        let page = self.0.views.board_export(&list.query.filter, fresh).await?;
        if page.next.is_some() {
            let refusal = Refusal::new(Reason::ExportTooLarge);
            return Err(refusal.with("rows_max", EXPORT_ROWS_MAX).into());
        }
        Ok((export::of_rows(figure, &page.rows), token::of_position(page.position)))
    }
}

#[tonic::async_trait]
impl BoardService for Api {
    type ExportBoardStream = Sending<pb::ExportBoardResponse>;

    async fn get_board(
        &self,
        request: Request<pb::GetBoardRequest>,
    ) -> Result<Response<pb::GetBoardResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.board(&call, request.get_ref()).await?.1))
    }

    async fn list_board_rows(
        &self,
        request: Request<pb::ListBoardRowsRequest>,
    ) -> Result<Response<pb::ListBoardRowsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.board_rows(&call, request.get_ref()).await?))
    }

    async fn export_board(
        &self,
        request: Request<pb::ExportBoardRequest>,
    ) -> Result<Response<Self::ExportBoardStream>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.board_file(&call, request.get_ref()).await?))
    }
}
