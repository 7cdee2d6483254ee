//! A client in another language walks through the API with stubs made from `proto/`.

use std::{path::PathBuf, process::Stdio};

use doudi_api::permission::Role;
use doudi_server::token;
use doudi_tests::world::World;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_walks_through_the_api() {
    let Some(python) = doudi_tests::python() else {
        doudi_tests::skipped("python", "run deploy/bootstrap.sh --python");
        return;
    };
    let world = World::start().await;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut walk = Command::new(python);
    walk.arg(root.join("tests/python/walk.py"))
        .arg(root.join("proto"))
        .arg(world.running.address.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for role in Role::OF_ACCOUNTS.iter() {
        let token = world.ground.token(&token::claims(role));
        walk.env(format!("TOKEN_{}", role.to_string().to_uppercase()), token);
    }
    let output = walk.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("walk: ok"), "{text}");
    world.stop().await;
}
