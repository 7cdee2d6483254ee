//! The one test binary: style, contract, real servers.

mod children;
