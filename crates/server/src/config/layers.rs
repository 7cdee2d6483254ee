//! Puts the layers of the configuration over each other, key by key, and collects the mistakes.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::rules::{RULES, Rule};
use super::sections::Sections;
use super::{Config, ConfigError, DEFAULTS, Mistake, Setting, Source};

/// What our environment variables begin with.
pub(super) const PREFIX: &str = "DOUDI_";

/// The values so far, with their sources and the mistakes found.
#[derive(Debug)]
pub(super) struct Layers {
    values: BTreeMap<&'static str, (Value, Source)>,
    mistakes: Vec<Mistake>,
}

impl Layers {
    /// The embedded defaults.
    pub(super) fn defaults() -> Self {
        let mut layers = Self { values: BTreeMap::new(), mistakes: Vec::new() };
        layers.put_text(DEFAULTS, &Source::Default);
        layers
    }

    /// The operator's file.
    pub(super) fn put_file(&mut self, path: &Path) {
        let source = Source::File(path.to_owned());
        match std::fs::read_to_string(path) {
            Ok(text) => self.put_text(&text, &source),
            Err(error) => self.report(source, None, format!("cannot read it: {error}")),
        }
    }

    /// Section and key are joined by two underscores. Names with fewer are somebody else's, for example what
    /// Kubernetes sets for a service named doudi, unless they are plainly one of our keys mistyped.
    pub(super) fn put_variables(&mut self, variables: &[(String, String)]) {
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let source = Source::Variable(name.clone());
            let key = rest.to_lowercase().replacen("__", ".", 1);
            if let Some((key, rule)) = known(&key) {
                self.put(key, rule, rule.read(text), source);
            } else if key.contains('.') {
                self.report_unknown(&key, source);
            } else if let Some((key, _)) = RULES.iter().find(|(k, _)| k.replace('.', "_") == key) {
                let problem = format!("want two underscores: {}", variable(key));
                self.report(source, None, problem);
            }
        }
    }

    /// The value of a key that has a rule; every such key has a value from the defaults on.
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key).map(|(value, _)| value)
    }

    /// The text of a key, empty when it is no text.
    pub(super) fn text(&self, key: &str) -> &str {
        self.value(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Reports a mistake about the value in force of a key.
    pub(super) fn report_key(&mut self, key: &str, problem: impl Into<String>) {
        let source = self.values.get(key).map_or(Source::Default, |(_, source)| source.clone());
        self.report(source, Some(key.to_owned()), problem.into());
    }

    /// The configuration, if nothing is wrong.
    pub(super) fn finish(mut self) -> Result<Config, ConfigError> {
        if !self.mistakes.is_empty() {
            return Err(ConfigError { mistakes: self.mistakes });
        }
        let sections = match nested(&self.values).try_into::<Sections>() {
            Ok(sections) => sections,
            Err(error) => {
                self.report(Source::Default, None, format!("rules and sections differ: {error}"));
                return Err(ConfigError { mistakes: self.mistakes });
            }
        };
        let setting = |(key, rule): &(&'static str, Rule)| {
            let (value, source) = self.values.get(key)?;
            Some(Setting { key, value: rule.show(value), source: source.clone() })
        };
        Ok(Config {
            settings: RULES.iter().filter_map(setting).collect(),
            grpc: sections.grpc,
            nats: sections.nats,
            postgres: sections.postgres,
            engine: sections.engine,
            react: sections.react,
            auth: sections.auth,
            vault: sections.vault,
            attachments: sections.attachments,
            codes: sections.codes,
            log: sections.log,
            tracing: sections.tracing,
            metrics: sections.metrics,
            identity: sections.identity,
            draws: sections.draws,
            archive: sections.archive,
            webhooks: sections.webhooks,
        })
    }

    fn put_text(&mut self, text: &str, source: &Source) {
        let table: Table = match toml::from_str(text) {
            Ok(table) => table,
            // The message alone: the excerpt that goes with it may hold a secret.
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(text, span.start));
                let problem = format!("line {line} is not TOML: {}", error.message());
                return self.report(source.clone(), None, problem);
            }
        };
        for (section, keys) in table {
            let Value::Table(keys) = keys else {
                self.report_unknown(&section, source.clone());
                continue;
            };
            for (key, value) in keys {
                let key = format!("{section}.{key}");
                match known(&key) {
                    Some((key, rule)) => self.put(key, rule, value, source.clone()),
                    None => self.report_unknown(&key, source.clone()),
                }
            }
        }
    }

    fn put(&mut self, key: &'static str, rule: Rule, value: Value, source: Source) {
        if rule.allows(&value) {
            self.values.insert(key, (value, source));
        } else {
            let problem = format!("found {}, want {}", rule.show(&value), rule.wanted());
            self.report(source, Some(key.to_owned()), problem);
        }
    }

    fn report(&mut self, source: Source, key: Option<String>, problem: String) {
        self.mistakes.push(Mistake { source, key, problem });
    }

    fn report_unknown(&mut self, key: &str, source: Source) {
        let near = RULES.iter().map(|(known, _)| (distance(key, known), known)).min();
        let problem = match near {
            Some((distance, known)) if distance <= 3 => {
                format!("no such key; did you mean {known}?")
            }
            _ => "no such key; deploy/default.toml has them all".to_owned(),
        };
        self.report(source, Some(key.to_owned()), problem);
    }
}

fn known(key: &str) -> Option<(&'static str, Rule)> {
    RULES.iter().find(|(known, _)| *known == key).copied()
}

/// The environment variable of a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replacen('.', "__", 1).to_uppercase())
}

fn nested(values: &BTreeMap<&'static str, (Value, Source)>) -> Table {
    let mut table = Table::new();
    for (key, (value, _)) in values {
        let Some((section, key)) = key.split_once('.') else { continue };
        let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(section) = section {
            section.insert(key.to_owned(), value.clone());
        }
    }
    table
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// How many characters must be put in, taken out or changed to make one text of the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}
