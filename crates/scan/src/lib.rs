//! What the inspection app and the server both know: signed codes, and records kept offline.
