//! The signal to stop: SIGINT or SIGTERM, told to everybody who waits for it.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Tells everybody to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// A stop that has not happened.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::channel(false).0)
    }

    /// Tells everybody to stop.
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    /// Turns true when it is time to stop.
    #[must_use]
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }

    /// Waits until it is time to stop.
    pub async fn wait(&self) {
        // The sender lives in `self`, so waiting ends only with the signal.
        let _ = self.receiver().wait_for(|stop| *stop).await;
    }

    /// Stops on SIGINT and SIGTERM.
    ///
    /// # Errors
    /// When the operating system does not allow to listen for signals.
    pub fn on_signals(&self) -> std::io::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping");
            stop.now();
        });
        Ok(())
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
