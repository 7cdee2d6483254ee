//! A nats-server for one test.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use doudi_server::children::{ChildError, NatsChild, NatsChildOptions, tools_folder};

pub use doudi_server::children::ToDisk;

use crate::{DIE_WITHIN, Scratch};

/// What a test wants of its nats-server.
#[derive(Debug, Clone, Default)]
pub struct NatsOptions {
    /// Who forces to disk; `Group` unless said otherwise.
    pub sync: ToDisk,
    /// The program; `None` finds one that is new enough.
    pub program: Option<PathBuf>,
    /// Where its folder is; `None` makes a temporary one.
    pub folder: Option<PathBuf>,
}

/// A nats-server in a temporary folder; behaves as the [`NatsChild`] in it.
#[derive(Debug)]
pub struct NatsServer {
    child: NatsChild,
    _scratch: Scratch,
}

impl NatsServer {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// As for [`NatsChild::start`].
    pub async fn start(options: NatsOptions) -> Result<Self, ChildError> {
        let scratch = Scratch::new("nats")?;
        let child = NatsChild::start(&NatsChildOptions {
            folder: options.folder.unwrap_or_else(|| scratch.path().to_owned()),
            sync: options.sync,
            program: options.program,
            scratch: true,
        })
        .await?;
        Ok(Self { child, _scratch: scratch })
    }
}

impl Deref for NatsServer {
    type Target = NatsChild;

    fn deref(&self) -> &NatsChild {
        &self.child
    }
}

impl DerefMut for NatsServer {
    fn deref_mut(&mut self) -> &mut NatsChild {
        &mut self.child
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.child.kill9_blocking(DIE_WITHIN);
    }
}

/// The nats-server 2.9.10 of Debian 12, if `deploy/bootstrap.sh --old-nats` has brought it.
#[must_use]
pub fn old_nats_server() -> Option<PathBuf> {
    let path = tools_folder()?.join("nats-2.9.10/nats-server");
    path.is_file().then_some(path)
}
