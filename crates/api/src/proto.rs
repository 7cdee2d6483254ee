//! The generated messages, clients and servers of the package `doudi.v1`, and its descriptors.

// Generated code follows its generator's style; what it documents comes from the contract itself.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::restriction)]
#![allow(rustdoc::invalid_html_tags, rustdoc::bare_urls)]

tonic::include_proto!("doudi.v1");

/// The descriptors of the whole contract with its comments, as an encoded `FileDescriptorSet`:
/// for reflection, and for tests that compare the contract with tables in the code.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/doudi_descriptor.bin"));
