//! Compiles the public contract in `proto/` with protox and tonic, so that no protoc is needed.

use std::{env, error::Error, fs, path::PathBuf};

/// Every file of the contract, below the include root.
const FILES: [&str; 26] = [
    "common",
    "enterprise",
    "frequency",
    "inspection_catalogue",
    "inspection",
    "inspection_service",
    "code_service",
    "visit_list_service",
    "rating_service",
    "alert_service",
    "campaign_service",
    "draw_service",
    "device_service",
    "appeal",
    "appeal_closing",
    "appeal_service",
    "handling_service",
    "diagnosis_service",
    "case_service",
    "policy",
    "timeline",
    "feed_service",
    "supervision_service",
    "board_service",
    "webhook_service",
    "what_if",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.join("doudi").display());
    let files = FILES.map(|name| root.join(format!("doudi/v1/{name}.proto")));

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("doudi_descriptor.bin");
    fs::write(out, compiler.encode_file_descriptor_set())?;

    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
