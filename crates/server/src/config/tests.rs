//! Tests of the configuration: layers, mistakes, masks, and that the three tables of keys agree.

use std::path::Path;

use doudi_engine::MediaType;

use super::rules::RULES;
use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(Purpose::Dev, None, &variables(pairs))
}

fn mistakes(purpose: Purpose, pairs: &[(&str, &str)]) -> Vec<String> {
    let error = Config::load(purpose, None, &variables(pairs)).unwrap_err();
    error.mistakes.iter().map(ToString::to_string).collect()
}

fn write(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("doudi-config-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn defaults_rules_and_sections_have_the_same_keys() {
    let table: toml::Table = toml::from_str(DEFAULTS).unwrap();
    let mut keys: Vec<String> = Vec::new();
    for (section, values) in table {
        keys.extend(values.as_table().unwrap().keys().map(|key| format!("{section}.{key}")));
    }
    let mut ruled: Vec<&str> = RULES.iter().map(|(key, _)| *key).collect();
    ruled.sort_unstable();
    keys.sort_unstable();
    assert_eq!(keys, ruled);
    // Sections refuse unknown and missing fields, so this proves that they agree too.
    assert_eq!(load(&[]).unwrap().describe().len(), keys.len());
}

#[test]
fn environment_goes_over_file_goes_over_defaults() {
    let file = write("layers.toml", "[grpc]\nlisten = \"[::1]:1\"\nconnections_max = 7\n");
    let set = variables(&[("DOUDI_GRPC__LISTEN", "127.0.0.1:2")]);
    let config = Config::load(Purpose::Dev, Some(&file), &set).unwrap();
    std::fs::remove_file(&file).unwrap();

    assert_eq!(config.grpc.listen.port(), 2);
    assert_eq!(config.grpc.connections_max, 7);
    assert_eq!(config.grpc.requests_in_flight_max, 1024);
    let source = |key| {
        let found = config.describe().iter().find(|setting| setting.key == key);
        found.unwrap().source.clone()
    };
    assert_eq!(source("grpc.listen"), Source::Variable("DOUDI_GRPC__LISTEN".to_owned()));
    assert_eq!(source("grpc.connections_max"), Source::File(file));
    assert_eq!(source("grpc.reflection"), Source::Default);
}

#[test]
fn the_variable_names_a_file_too() {
    let file = write("named.toml", "[log]\nformat = \"json\"\n");
    let config = load(&[("DOUDI_CONFIG", file.to_str().unwrap())]).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn variables_hold_every_type() {
    let config = load(&[
        ("DOUDI_GRPC__REFLECTION", "true"),
        ("DOUDI_GRPC__REQUEST_TIMEOUT_MAX", "1m 30s"),
        ("DOUDI_NATS__URLS", "nats://a:1, nats://b:2"),
        ("DOUDI_NATS__MONITOR_URLS", r#"["http://a:1"]"#),
        ("DOUDI_VAULT__MASTER_KEYS", r#"{ k1 = "/etc/k1" }"#),
        ("DOUDI_VAULT__ACTIVE_KEY", "k1"),
        ("DOUDI_NATS__DURABILITY", "fast"),
        ("DOUDI_ATTACHMENTS__MEDIA_TYPES", "application/pdf, image/png"),
    ])
    .unwrap();
    assert!(config.grpc.reflection);
    assert_eq!(config.grpc.request_timeout_max.as_secs(), 90);
    assert_eq!(config.nats.urls, ["nats://a:1", "nats://b:2"]);
    assert_eq!(config.nats.monitor_urls, ["http://a:1"]);
    assert_eq!(config.vault.master_keys["k1"], Path::new("/etc/k1"));
    assert_eq!(config.attachments.media_types, [MediaType::Pdf, MediaType::Png]);
}

#[test]
fn all_known_media_types_are_allowed_at_first_and_only_those_ever() {
    let config = load(&[]).unwrap();
    assert_eq!(config.attachments.media_types, MediaType::ALL);
    let none = load(&[("DOUDI_ATTACHMENTS__MEDIA_TYPES", "[]")]).unwrap();
    assert!(none.attachments.media_types.is_empty());
    let found = mistakes(Purpose::Dev, &[("DOUDI_ATTACHMENTS__MEDIA_TYPES", "text/html")]);
    assert!(found[0].contains("want a list of some of application/pdf, "), "{found:?}");
}

#[test]
fn the_least_share_of_a_draw_is_not_above_the_greatest() {
    let config = load(&[("DOUDI_DRAWS__A_PERCENT_MAX", "0")]).unwrap();
    assert_eq!((config.draws.a_percent_min, config.draws.a_percent_max), (0, 0));
    let found = mistakes(Purpose::Dev, &[("DOUDI_DRAWS__C_PERCENT_MAX", "20")]);
    let expected = "draws.c_percent_min: want at most draws.c_percent_max (default)";
    assert_eq!(found, [expected]);
    let found = mistakes(Purpose::Dev, &[("DOUDI_DRAWS__D_PERCENT_MAX", "101")]);
    assert!(found[0].contains("want a whole number from 0 to 100"), "{found:?}");
}

#[test]
fn traces_go_to_an_address_without_tls_and_a_share_is_a_share() {
    let config = load(&[
        ("DOUDI_TRACING__OTLP_ENDPOINT", "http://127.0.0.1:4317"),
        ("DOUDI_TRACING__SAMPLE_RATIO", "0.25"),
    ])
    .unwrap();
    assert_eq!(config.tracing.otlp_endpoint, "http://127.0.0.1:4317");
    assert!((config.tracing.sample_ratio - 0.25).abs() < f64::EPSILON);
    for (key, wrong, wanted) in [
        ("OTLP_ENDPOINT", "https://collector:4317", "want an address such as"),
        ("OTLP_ENDPOINT", "collector", "want an address such as"),
        ("SAMPLE_RATIO", "1.5", "want a number from 0 to 1"),
        ("SAMPLE_RATIO", "2", "want a number from 0 to 1"),
    ] {
        let found = mistakes(Purpose::Dev, &[(&format!("DOUDI_TRACING__{key}"), wrong)]);
        assert!(found[0].contains(wanted), "{found:?}");
    }
}

#[test]
fn draws_begin_with_the_published_bounds() {
    let shipped = crate::parts::draw_ratios(&load(&[]).unwrap().draws);
    assert_eq!(shipped, doudi_domain::draw::RatioTable::default());
}

#[test]
fn all_mistakes_come_at_once_with_their_places() {
    let file =
        write("wrong.toml", "[grpc]\nlistn = \"x\"\nconnections_max = 0\n[nats]\nreplicas = 2\n");
    let set = variables(&[
        ("DOUDI_GRPC__DRAIN_TIMEOUT", "soon"),
        ("DOUDI_GRPC__REFLECTION", "maybe"),
        ("DOUDI_NATS__TOKEN", "s3cret"),
        ("DOUDI_NATS__USER", "u"),
        ("DOUDI_NATS_URLS", "nats://x"),
    ]);
    let error = Config::load(Purpose::Dev, Some(&file), &set).unwrap_err();
    std::fs::remove_file(&file).unwrap();
    let file = file.display();
    let expected = format!(
        "the configuration has 8 mistakes:
  - grpc.connections_max: found 0, want a whole number from 1 to 100000 (file {file})
  - grpc.listn: no such key; did you mean grpc.listen? (file {file})
  - nats.replicas: found 2, want one of 1, 3, 5 (file {file})
  - grpc.drain_timeout: found \"soon\", want a duration from 0s to 10m, such as \"5s\" \
         (variable DOUDI_GRPC__DRAIN_TIMEOUT)
  - grpc.reflection: found \"maybe\", want true or false (variable DOUDI_GRPC__REFLECTION)
  - want two underscores: DOUDI_NATS__URLS (variable DOUDI_NATS_URLS)
  - nats.user: only one way to log in may be set, found nats.token and nats.user \
         (variable DOUDI_NATS__USER)
  - nats.user: it is set, but nats.password is not (variable DOUDI_NATS__USER)"
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake_among_others() {
    let missing = Path::new("/nowhere/doudi.toml");
    let set = variables(&[("DOUDI_NATS__REPLICAS", "two")]);
    let error = Config::load(Purpose::Dev, Some(missing), &set).unwrap_err();
    assert_eq!(error.mistakes.len(), 2);
    assert!(error.to_string().contains("cannot read it"), "{error}");
}

#[test]
fn bad_toml_is_told_by_its_line_and_shows_no_value() {
    let file = write("syntax.toml", "[nats]\ntoken = \"s3cret\ntoken = 1\n");
    let error = Config::load(Purpose::Dev, Some(&file), &[]).unwrap_err();
    std::fs::remove_file(&file).unwrap();
    assert!(error.to_string().contains("line 2 is not TOML"), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn serving_needs_what_dev_brings_along() {
    let found = mistakes(Purpose::Serve, &[("DOUDI_AUTH__ALLOW_DEV_KEY", "true")]);
    let keys: Vec<&str> = found.iter().filter_map(|line| line.split(':').next()).collect();
    let expected = [
        "postgres.url",
        "auth.keys_file",
        "vault.active_key",
        "auth.allow_dev_key",
        "nats.monitor_urls",
    ];
    assert_eq!(keys, expected);
    // Where the folder is named, nobody has to be asked for it; who syncs still has to.
    for (durability, told) in [("group", false), ("always", true), ("fast", false)] {
        let set = [("DOUDI_NATS__STORE_DIR", "/srv"), ("DOUDI_NATS__DURABILITY", durability)];
        let found = mistakes(Purpose::Serve, &set);
        let monitor = found.iter().any(|line| line.starts_with("nats.monitor_urls"));
        assert_eq!(monitor, told, "{durability}: {found:?}");
    }
}

#[test]
fn contradictions_are_told() {
    let check = |set: (&str, &str), part: &str| {
        let found = mistakes(Purpose::Dev, &[set]).join("\n");
        assert!(found.contains(part), "{found}");
    };
    check(("DOUDI_GRPC__TLS_CERT", "c.pem"), "it is set, but grpc.tls_key is not");
    check(("DOUDI_NATS__PASSWORD", "p"), "it is set, but nats.user is not");
    check(("DOUDI_NATS__REPLICAS", "3"), "a cluster needs \"always\"");
    check(("DOUDI_NATS__ACK_TIMEOUT", "30s"), "want less than grpc.request_timeout_max");
    check(("DOUDI_VAULT__ACTIVE_KEY", "k9"), "vault.master_keys has no \"k9\"");
}

#[test]
fn no_secret_is_shown() {
    let config = load(&[
        ("DOUDI_POSTGRES__URL", "postgres://doudi:s3cret@db:5432/doudi"),
        ("DOUDI_NATS__TOKEN", "s3cret"),
        ("DOUDI_NATS__URLS", "nats://u:s3cret@a:4222"),
    ])
    .unwrap();
    let shown = format!("{:?} {:?}", config.describe(), config.nats.token);
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("nats://***@a:4222"), "{shown}");
    assert!(!format!("{:?}", config.postgres).contains("s3cret"));
    let wrong =
        mistakes(Purpose::Dev, &[("DOUDI_NATS__MONITOR_URLS", r#"["http://u:s3cret@h", 1]"#)]);
    assert!(!wrong.join(" ").contains("s3cret"), "{wrong:?}");
}

#[test]
fn variables_of_others_are_left_alone() {
    load(&[("DOUDI_PORT_7400_TCP", "x"), ("DOUDI_TOOLS", "x"), ("PATH", "x")]).unwrap();
}
