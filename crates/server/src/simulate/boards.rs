//! The boards of a simulated year: that every number is made of exactly the rows behind it, and that numbers
//! which other questions tell as well are the same.

use std::collections::BTreeSet;

use doudi_domain::{UnitId, calendar::civil_date};
use doudi_views::{
    Fresh, Scope, ViewError, Views, appeals,
    boards::{Cell, Cursor, Dimension, Figure, Filter, PageQuery, Query, Row, Sums, Windows},
    measures,
};
use jiff::{SignedDuration, Span, Timestamp};

use super::SimulateError;

/// How many rows a page has, few enough for many to have a next.
const PAGE: usize = 37;

/// Every figure as it is usually asked for, over the year before `now`.
pub(super) async fn ask(
    views: &Views,
    now: Timestamp,
    fresh: Fresh,
) -> Result<Vec<String>, ViewError> {
    let mut said = vec![];
    for figure in Figure::ALL {
        let query =
            Query { filter: filter(figure, now, Scope::All), group_by: figure.usual().to_vec() };
        said.push(format!("{:?}", views.board(&query, fresh).await?));
    }
    Ok(said)
}

/// Checks every number of every figure by each dimension, for who sees all and for one unit, and says how many
/// there were.
pub(super) async fn check(
    views: &Views,
    now: Timestamp,
    fresh: Fresh,
) -> Result<(), SimulateError> {
    let mut numbers = 0;
    for figure in Figure::ALL {
        for scope in [Scope::All, one_unit(views, figure, now, fresh).await?] {
            let each = figure.dimensions().iter().map(|dimension| vec![*dimension]);
            for group_by in each.chain([figure.usual().to_vec()]) {
                numbers +=
                    figures(views, filter(figure, now, scope.clone()), group_by, fresh).await?;
            }
        }
    }
    alike(views, now, fresh).await?;
    println!("{numbers} numbers of boards, each of exactly the rows behind it");
    Ok(())
}

fn filter(figure: Figure, now: Timestamp, scope: Scope) -> Filter {
    let today = civil_date(now);
    let days = match figure.windows() {
        Windows::Standing => (None, None),
        Windows::Today => (Some(today), Some(today.saturating_add(Span::new().days(60)))),
        Windows::Given => (Some(today.saturating_sub(Span::new().days(400))), Some(today)),
    };
    let idle_since = now - SignedDuration::from_hours(24 * 7);
    let (unit, area, cell) = (None, None, vec![]);
    Filter { figure, from: days.0, until: days.1, unit, area, idle_since, cell, scope }
}

/// What the unit sees of which the figure has the most rows.
async fn one_unit(
    views: &Views,
    figure: Figure,
    now: Timestamp,
    fresh: Fresh,
) -> Result<Scope, SimulateError> {
    let group_by = vec![Dimension::Unit];
    let query = Query { filter: filter(figure, now, Scope::All), group_by };
    let board = views.board(&query, fresh).await.map_err(super::step)?;
    let most = board.cells.iter().max_by_key(|cell| cell.sums.rows);
    let unit = most.and_then(|cell| UnitId::parse(&cell.keys[0]).ok());
    Ok(Scope::Within {
        enterprise: None,
        units: unit.into_iter().collect(),
        areas: doudi_views::Areas::Some(vec![]),
        desk: false,
    })
}

/// One board against its rows.
async fn figures(
    views: &Views,
    filter: Filter,
    group_by: Vec<Dimension>,
    fresh: Fresh,
) -> Result<usize, SimulateError> {
    let query = Query { filter, group_by };
    let board = views.board(&query, fresh).await.map_err(super::step)?;
    let Query { filter, group_by } = query;
    let all = rows(views, &filter, fresh).await?;
    let mut wrong = counted(&all) != board.total || board.cut;
    for Cell { keys, sums } in &board.cells {
        let cell = group_by.iter().copied().zip(keys.iter().cloned()).collect();
        let behind = rows(views, &Filter { cell, ..filter.clone() }, fresh).await?;
        // The rows with these values, by what each row says of itself.
        let at = |by: &Dimension| filter.figure.dimensions().iter().position(|own| own == by);
        let places: Vec<usize> = group_by.iter().filter_map(at).collect();
        let same = |row: &&Row| places.iter().zip(keys).all(|(at, key)| row.values[*at] == *key);
        let said: Vec<&Row> = all.iter().filter(same).collect();
        wrong |= counted(&behind) != *sums || said != behind.iter().collect::<Vec<_>>();
    }
    wrong |= board.cells.iter().map(|cell| cell.sums.rows).sum::<u64>() != board.total.rows;
    if wrong {
        let by = format!("{group_by:?}");
        return Err(SimulateError::Miscounted { figure: format!("{:?}", filter.figure), by });
    }
    Ok(board.cells.len() + 1)
}

/// Every row, page by page.
async fn rows(views: &Views, filter: &Filter, fresh: Fresh) -> Result<Vec<Row>, SimulateError> {
    let mut rows: Vec<Row> = vec![];
    let mut after: Option<Cursor> = None;
    loop {
        let query = PageQuery { filter: filter.clone(), after, limit: PAGE };
        let page = views.board_rows(&query, fresh).await.map_err(super::step)?;
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}

/// What a board would say of these rows, counted without it.
fn counted(rows: &[Row]) -> Sums {
    let enterprises: BTreeSet<&str> = rows.iter().map(|row| row.enterprise.as_str()).collect();
    let count = |of: fn(&&Row) -> bool| rows.iter().filter(of).count() as u64;
    let mut seconds: Vec<u64> = rows.iter().filter_map(|row| row.seconds).collect();
    seconds.sort_unstable();
    Sums {
        rows: rows.len() as u64,
        enterprises: enterprises.len() as u64,
        known: count(|row| row.hit.is_some()),
        hits: count(|row| row.hit == Some(true)),
        median_seconds: percentile(&seconds, 50),
        p90_seconds: percentile(&seconds, 90),
    }
}

/// Between the two nearest of sorted values, in proportion; rounded, half a second up.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let steps = sorted.len().checked_sub(1)? * percent;
    let (low, part) = (steps / 100, (steps % 100) as u64);
    let from = sorted[low];
    let to = sorted.get(low + 1).copied().unwrap_or(from);
    Some((from * 100 + (to - from) * part + 50) / 100)
}

/// What other questions tell as well.
async fn alike(views: &Views, now: Timestamp, fresh: Fresh) -> Result<(), SimulateError> {
    let total = async |figure| {
        let query = Query { filter: filter(figure, now, Scope::All), group_by: vec![] };
        let board = views.board(&query, fresh).await.map_err(super::step)?;
        Ok::<_, SimulateError>(board.total)
    };
    let mut open = 0;
    let mut list = appeals::Query {
        open_only: true,
        ..appeals::Query::all(Scope::All, doudi_views::PAGE_MAX)
    };
    loop {
        let page = views.appeals(&list, fresh).await.map_err(super::step)?;
        open += page.appeals.len() as u64;
        list.after = page.next;
        if list.after.is_none() {
            break;
        }
    }
    let Filter { from, until, .. } = filter(Figure::Resolved, now, Scope::All);
    let (from, until) = from.zip(until).unwrap_or_default();
    let rates = measures::RatesQuery {
        group: measures::RateGroup::All,
        from,
        until,
        unit: None,
        area: None,
        topic: None,
        scope: Scope::All,
    };
    let rates = views.rates(&rates, fresh).await.map_err(super::step)?.rates;
    let rate = |of: fn(&measures::Rate) -> u64| rates.iter().map(of).sum::<u64>();
    let same = [
        (Figure::OpenAppeals, total(Figure::OpenAppeals).await?.rows, open),
        (Figure::Responded, total(Figure::Responded).await?.hits, rate(|rate| rate.responded)),
        (Figure::Resolved, total(Figure::Resolved).await?.hits, rate(|rate| rate.resolved)),
        (
            Figure::Satisfied,
            total(Figure::Satisfied).await?.known,
            rate(|rate| rate.asked_satisfied),
        ),
    ];
    match same.into_iter().find(|(_, board, other)| board != other) {
        None => Ok(()),
        Some((figure, ..)) => {
            let by = "another question".to_owned();
            Err(SimulateError::Miscounted { figure: format!("{figure:?}"), by })
        }
    }
}
