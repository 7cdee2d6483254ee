//! Settings that are fine alone and wrong together, and settings that must not stay empty.

use toml::Value;

use super::Purpose;
use super::layers::Layers;
use super::rules::duration;

/// Reports every contradiction among the values in force.
pub(super) fn check(purpose: Purpose, layers: &mut Layers) {
    login(layers);
    tls(layers);
    timeouts(layers);
    webhooks(layers);
    vault(layers);
    draws(layers);
    durability(layers);
    if purpose == Purpose::Serve {
        serving(layers);
    }
}

fn login(layers: &mut Layers) {
    let ways = ["nats.token", "nats.user", "nats.creds_file"];
    let set: Vec<&str> = ways.into_iter().filter(|key| !layers.text(key).is_empty()).collect();
    if let [_, .., last] = set[..] {
        let problem = format!("only one way to log in may be set, found {}", set.join(" and "));
        layers.report_key(last, problem);
    }
    pair(layers, "nats.user", "nats.password");
}

fn tls(layers: &mut Layers) {
    pair(layers, "grpc.tls_cert", "grpc.tls_key");
}

/// Two keys that make sense together only.
fn pair(layers: &mut Layers, one: &str, other: &str) {
    for (set, missing) in [(one, other), (other, one)] {
        if !layers.text(set).is_empty() && layers.text(missing).is_empty() {
            layers.report_key(set, format!("it is set, but {missing} is not"));
        }
    }
}

fn timeouts(layers: &mut Layers) {
    let ack = duration(layers.text("nats.ack_timeout"));
    let request = duration(layers.text("grpc.request_timeout_max"));
    if ack >= request {
        layers.report_key("nats.ack_timeout", "want less than grpc.request_timeout_max");
    }
}

fn webhooks(layers: &mut Layers) {
    let pause = |key| duration(layers.text(key));
    if pause("webhooks.retry_min") > pause("webhooks.retry_max") {
        layers.report_key("webhooks.retry_min", "want at most webhooks.retry_max");
    }
}

fn vault(layers: &mut Layers) {
    let active = layers.text("vault.active_key").to_owned();
    let keys = layers.value("vault.master_keys").and_then(Value::as_table);
    let known = keys.is_some_and(|keys| keys.contains_key(&active));
    if !active.is_empty() && !known {
        layers.report_key("vault.active_key", format!("vault.master_keys has no {active:?}"));
    }
}

/// The least of a share lies below its greatest.
fn draws(layers: &mut Layers) {
    for (min, max) in [
        ("draws.a_percent_min", "draws.a_percent_max"),
        ("draws.b_percent_min", "draws.b_percent_max"),
        ("draws.c_percent_min", "draws.c_percent_max"),
        ("draws.d_percent_min", "draws.d_percent_max"),
    ] {
        let number = |key| layers.value(key).and_then(Value::as_integer);
        if number(min) > number(max) {
            layers.report_key(min, format!("want at most {max}"));
        }
    }
}

/// What must be set where no children of our own bring it along.
fn serving(layers: &mut Layers) {
    for key in ["postgres.url", "auth.keys_file", "vault.active_key"] {
        if layers.text(key).is_empty() {
            layers.report_key(key, "it must be set");
        }
    }
    if layers.value("auth.allow_dev_key") == Some(&Value::Boolean(true)) {
        let problem = "the development key is for `doudi dev` and `doudi demo` only";
        layers.report_key("auth.allow_dev_key", problem);
    }
    let monitored = layers.value("nats.monitor_urls").and_then(Value::as_array);
    let problem = match (layers.text("nats.durability"), layers.text("nats.store_dir")) {
        ("always", _) => {
            "under nats.durability = \"always\" it must name the servers' monitoring addresses, or \
             nobody can tell whether they sync"
        }
        ("group", "") => {
            "under nats.durability = \"group\" it must name the server's monitoring address, or \
             nats.store_dir its folder, or nobody can tell what to force to disk"
        }
        _ => return,
    };
    if monitored.is_none_or(Vec::is_empty) {
        layers.report_key("nats.monitor_urls", problem);
    }
}

/// Durability "group" forces the files of one server to disk.
fn durability(layers: &mut Layers) {
    let replicas = layers.value("nats.replicas").and_then(Value::as_integer);
    if layers.text("nats.durability") == "group" && matches!(replicas, Some(3 | 5)) {
        let problem = "\"group\" is for one replica; a cluster needs \"always\"";
        layers.report_key("nats.durability", problem);
    }
}
