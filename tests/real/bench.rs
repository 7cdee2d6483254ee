//! Every bench as an operator runs it, in a very short form: it ends well, what it prints is what its JSON holds, and
//! each line has its figures and the disk's beside them. How large figures are is no matter here.

use std::{collections::BTreeMap, process::Output, time::Duration};

use doudi_tests::{Scratch, program::command};
use tokio::time::timeout;

use told::{Line, Told, quotient, same};

mod told;

/// How long one of them may take; on an idle machine it is some seconds.
const BOUND: Duration = Duration::from_secs(300);
/// Which numbers of clients are tried in turns.
const IN_FLIGHT: [&str; 3] = ["1 in flight", "32 in flight", "256 in flight"];
/// A city for the benches that fill a log and tables with one.
const CITY: [&str; 2] = ["--enterprises", "12"];

/// Runs a bench of that scale. Gives how it ended, and the JSON where it wrote one.
async fn run(bench: &str, scale: &[&str]) -> (Output, Option<String>) {
    let folder = Scratch::new("bench").unwrap();
    let file = folder.path().join("figures.json");
    let mut command = command();
    command.args(["bench", "--json"]).arg(&file).arg(bench).args(scale);
    let output = timeout(BOUND, command.output()).await.expect("the bench ends in time").unwrap();
    (output, std::fs::read_to_string(&file).ok())
}

/// The lines of a bench that must end well, of which all is so that every bench promises.
async fn lines(bench: &str, scale: &[&str]) -> Vec<Line> {
    let (output, json) = run(bench, scale).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{bench}: {errors}");
    let told: Told = serde_json::from_str(&json.expect("there is a file")).unwrap();
    assert_eq!(told.bench, bench);
    assert!(told.cpus > 0);
    assert!(!told.lines.is_empty());
    same(&told.lines, &String::from_utf8(output.stdout).unwrap());
    for line in &told.lines {
        line.is_whole();
    }
    told.lines
}

/// Each line as its table and what it is of.
fn heads(lines: &[Line]) -> Vec<(&str, &str)> {
    lines.iter().map(|line| (line.table.as_str(), line.of.as_str())).collect()
}

/// The one line of that table and of that.
fn find<'a>(lines: &'a [Line], table: &str, of: &str) -> &'a Line {
    let mut found = lines.iter().filter(|line| line.table == table && line.of == of);
    let line = found.next().unwrap_or_else(|| panic!("no line {table}: {of}"));
    assert!(found.next().is_none(), "{table}: {of} is there twice");
    line
}

/// One round was run, so that the medians of ratios are the ratios of medians.
fn beside_first(lines: &[Line]) {
    for line in lines {
        let first = find(lines, &line.table, &lines[0].of);
        line.has(&["per s", "to first", "p50 ms", "to first's", "p99 ms"]);
        quotient(line.at("to first"), line.at("per s"), first.at("per s"));
        quotient(line.at("to first's"), line.at("p50 ms"), first.at("p50 ms"));
        assert!(line.at("p50 ms") <= line.at("p99 ms"), "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn append_measures_the_log_kept_on_disk_beside_the_servers_word_alone() {
    let lines = lines("append", &["--rounds", "1", "--share", "4"]).await;
    let sides = ["acknowledged alone (first)", "kept on disk"];
    let each = IN_FLIGHT.iter().flat_map(|table| sides.map(|side| (*table, side)));
    assert_eq!(heads(&lines), each.collect::<Vec<_>>());
    beside_first(&lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn lifecycle_measures_lives_on_empty_tables_and_on_full_ones_beside_bare_appends() {
    let scale = ["--cases", "12", "--clients", "2", "--lives", "3"];
    let lines = lines("lifecycle", &scale).await;
    let (lives, filled) = ("lives of appeals", "filled");
    let of = [(lives, "0 cases, 2 clients"), (filled, "12 cases"), (lives, "12 cases, 2 clients")];
    assert_eq!(heads(&lines), of);
    for line in [&lines[0], &lines[2]] {
        line.has(&["lives/s", "bare appends/s", "ratio"]);
        // A life leaves five records.
        quotient(line.at("ratio"), 5.0 * line.at("lives/s"), line.at("bare appends/s"));
    }
    lines[1].has(&["appended after s", "in all tables after s"]);
    assert!(lines[1].at("appended after s") <= lines[1].at("in all tables after s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn checkin_measures_scans_and_what_devices_hand_in() {
    let scale = ["--rounds", "1", "--share", "1", "--records", "3", "--devices", "2"];
    let lines = lines("checkin", &scale).await;
    let mut of = vec![("uploads of what devices kept", "2 devices, 3 records each")];
    of.extend(IN_FLIGHT.map(|table| (table, "doudi: check-in (first)")));
    of.push(("memory", "serve"));
    assert_eq!(heads(&lines), of);
    let uploads = &lines[0];
    uploads.has(&["records stored per s", "per s", "p50 ms", "p99 ms"]);
    // Each device hands in all it has at once.
    quotient(3.0, uploads.at("records stored per s"), uploads.at("per s"));
    beside_first(&lines[1..4]);
    lines[4].has(&["resident MB"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn project_measures_building_tables_beside_bare_inserts() {
    let lines = lines("project", &CITY).await;
    let built = "built from the log";
    let views = ["timeline and visits together", "timeline alone", "visits alone"];
    let mut of: Vec<_> = views.map(|views| (built, views)).into();
    of.push(("bare UNNEST", "the timeline's rows, alone"));
    assert_eq!(heads(&lines), of);
    let [both, timeline, visits, bare] = lines.as_slice() else { panic!("{lines:?}") };
    bare.has(&["rows", "s", "rows/s"]);
    for line in [both, timeline, visits] {
        line.has(&["records", "rows", "s", "records/s", "events/s", "rows/s", "rows to bare"]);
        quotient(line.at("records/s"), line.at("records"), line.at("s"));
        quotient(line.at("rows to bare"), line.at("rows/s"), bare.at("rows/s"));
        assert!(line.at("records/s") <= line.at("events/s"), "{line:?}");
    }
    for line in &lines {
        quotient(line.at("rows/s"), line.at("rows"), line.at("s"));
    }
    // They are whole numbers, which are exact.
    quotient(1.0, both.at("rows"), timeline.at("rows") + visits.at("rows"));
    quotient(1.0, bare.at("rows"), timeline.at("rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn load_measures_calls_and_memory_part_by_part_and_the_start_on_a_long_log() {
    let scale = ["--clients", "2", "--seconds", "1", "--records", "1500"];
    let lines = lines("load", &scale).await;
    let (parts, others) = lines.split_at(10);
    for part in parts {
        assert_eq!(part.table, "2 clients");
        assert!(part.of.starts_with("after "), "{part:?}");
        part.has(&["calls/s", "p50 ms", "p99 ms", "max ms", "resident MB"]);
        assert!(part.at("p50 ms") <= part.at("p99 ms"), "{part:?}");
        assert!(part.at("p99 ms") <= part.at("max ms"), "{part:?}");
    }
    let start = ("start of serve, nats-server warm", "1500 records in the log");
    assert_eq!(heads(others), [("memory", "all roles"), start]);
    let memory = &others[0];
    memory.has(&["early MB", "at the end MB", "ratio"]);
    quotient(1.0, memory.at("early MB"), parts[1].at("resident MB"));
    quotient(1.0, memory.at("at the end MB"), parts[9].at("resident MB"));
    quotient(memory.at("ratio"), memory.at("at the end MB"), memory.at("early MB"));
    others[1].has(&["until it serves s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_measures_five_times_as_many_clients_beside_as_many_as_there_is_work_for() {
    let scale = ["--seconds", "1", "--rounds", "1", "--clients", "16"];
    let lines = lines("overload", &scale).await;
    let most = lines[0].at("good/s").max(lines[1].at("good/s"));
    let enough = if lines[0].at("good/s") >= most * 95.0 / 100.0 { 8 } else { 16 };
    let (peak, over) = (format!("{enough} clients"), format!("{} clients", 5 * enough));
    let both = format!("{enough} and {over}");
    let expected = [
        ("clients at work", "8 clients"),
        ("clients at work", "16 clients"),
        ("as many as there is work for", peak.as_str()),
        ("five times as many", over.as_str()),
        ("overload", both.as_str()),
    ];
    assert_eq!(heads(&lines), expected);
    for line in &lines[..4] {
        line.has(&[
            "good/s",
            "p50 ms",
            "p99 ms",
            "late/s",
            "refused/s",
            "p50 ms of them",
            "p99 ms of them",
            "resident MB",
        ]);
        let refused = line.at("refused/s") > 0.0;
        assert_eq!(line.figures["p50 ms of them"].is_some(), refused, "{line:?}");
        assert_eq!(line.figures["p99 ms of them"].is_some(), refused, "{line:?}");
    }
    let (peak, over, all) = (&lines[2], &lines[3], &lines[4]);
    let refused = ["refused p50 ms", "refused p99 ms"];
    let of_good = ["peak good/s", "overload good/s", "ratio"];
    all.has(&[&of_good[..], &refused, &["resident MB at most"]].concat());
    quotient(1.0, all.at("peak good/s"), peak.at("good/s"));
    quotient(1.0, all.at("overload good/s"), over.at("good/s"));
    quotient(all.at("ratio"), over.at("good/s"), peak.at("good/s"));
    quotient(1.0, all.at("resident MB at most"), over.at("resident MB"));
    for (name, of) in refused.into_iter().zip(["p50 ms of them", "p99 ms of them"]) {
        assert_eq!(all.figures[name], over.figures[of]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_measure_one_step_at_a_time_and_many_at_once_beside_bare_appends() {
    let lines = lines("timers", &["--cases", "30", "--due", "10", "--steps", "2"]).await;
    let [filled, one, many] = lines.as_slice() else { panic!("{lines:?}") };
    let of = [("filled", "30 clocks armed"), ("one due at a time", "2 steps while 30 are armed")];
    assert_eq!(heads(&lines[..2]), of);
    let after = ["appended after s", "on the agenda after s", "in all tables after s"];
    filled.has(&after);
    assert!(after.map(|name| filled.at(name)).is_sorted(), "{filled:?}");
    one.has(&["late p50 ms", "at most ms"]);
    assert!(one.at("late p50 ms") <= one.at("at most ms"));
    assert_eq!(many.table, "due at once");
    assert!(many.of.starts_with("10 due, "), "{many:?}");
    let beside = ["commits/s", "bare appends/s", "ratio"];
    many.has(&[&["all done after s"][..], &beside, &["overtaken at most"]].concat());
    quotient(many.at("commits/s"), 10.0, many.at("all done after s"));
    quotient(many.at("ratio"), many.at("commits/s"), many.at("bare appends/s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_if_measures_documents_tried_out_beside_reading_alone() {
    let scale = [&["--records", "1500"][..], &CITY].concat();
    let lines = lines("what-if", &scale).await;
    let table = lines[0].table.clone();
    let of = ["reading alone", "one visit at the most", "routing table", "case types"];
    assert_eq!(heads(&lines), of.map(|of| (table.as_str(), of)));
    let (records, year) = table.split_once(" records, ").unwrap();
    let year = year.strip_suffix(" of them of a year of inspections").unwrap();
    let (records, year): (u64, u64) = (records.parse().unwrap(), year.parse().unwrap());
    assert!(0 < year && year <= records && records >= 1500, "{table}");
    lines[0].has(&["s"]);
    for line in &lines[1..] {
        line.has(&["s", "ratio", "compared"]);
        quotient(line.at("ratio"), line.at("s"), lines[0].at("s"));
    }
    assert!(lines[1].at("compared") > 0.0, "{lines:?}");
}

/// A query bench of that many rows; more would only take longer.
fn of_query<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["--rows", "20000", "--asks", "2"][..], &CITY, more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn query_measures_every_list_and_some_questions_beside_bare_sql() {
    let lines = lines("query", &of_query(&[])).await;
    let (filled, asked) = lines.split_first().unwrap();
    filled.has(&["after s"]);
    let (rows, cities) = filled.of.split_once(" entries of ").unwrap();
    let cities: u64 = cities.strip_suffix(" cities").unwrap().parse().unwrap();
    let rows: u64 = rows.parse().unwrap();
    assert!(cities > 1 && rows > 0 && rows.is_multiple_of(cities), "{filled:?}");
    let mut by_table = BTreeMap::<&str, Vec<&Line>>::new();
    for line in asked {
        by_table.entry(&line.table).or_default().push(line);
    }
    let tables = ["milliseconds", "milliseconds as of half way", "milliseconds for a page of 50"];
    // No table is large, so none is looked at for scans.
    assert!(by_table.keys().eq(&tables), "{:?}", by_table.keys());
    pages(&by_table[tables[2]]);
    past(&by_table[tables[1]]);
    let questions = ["timeline page", "quota", "inbox of an area", "board of a month"];
    let empty = find(&lines, tables[0], "an rpc that asks nothing");
    empty.has(&["p50"]);
    let each =
        questions.map(|name| ["first", "second"].map(|when| format!("{name}, asked {when}")));
    for name in each.as_flattened() {
        let line = find(&lines, tables[0], name);
        line.has(&["p50", "p95", "p99", "bare p50", "bare p95", "ratio at p50", "beside both"]);
        quotient(line.at("ratio at p50"), line.at("p50"), line.at("bare p50"));
        let both = line.at("bare p50") + empty.at("p50");
        quotient(line.at("beside both"), line.at("p50"), both);
    }
    assert_eq!(by_table[tables[0]].len(), 1 + 2 * questions.len());
}

/// Every list, at least once without a filter and once with one.
fn pages(lines: &[&Line]) {
    for line in lines {
        line.has(&["p50", "p95"]);
        assert!(line.at("p50") <= line.at("p95"), "{line:?}");
    }
    let of = |list: &str| lines.iter().filter(|line| line.of.starts_with(list)).count();
    for list in ["timeline", "visits", "appeals", "inbox", "stuck", "alerts", "rows of a board"] {
        assert!(of(list) > 1, "{list}: {lines:?}");
    }
    assert_eq!(of("ledger of a unit"), 1);
}

/// Every list as of half way, for each shape of scope, none of it refused.
fn past(lines: &[&Line]) {
    for line in lines {
        line.has(&["p50", "p99", "refused"]);
        assert!(line.at("refused") < 1.0, "{line:?}");
    }
    let lists = [
        "visits, oldest first",
        "visits, newest first",
        "count of visits",
        "ledger",
        "appeals",
        "inbox",
        "count of an inbox",
        "stuck",
        "board of open appeals",
    ];
    let scopes = ["a unit", "an area", "all areas", "an enterprise"];
    let each = scopes.iter().flat_map(|who| lists.map(|list| format!("{list}, {who}")));
    let each: Vec<String> = each.filter(|of| of != "ledger, an enterprise").collect();
    assert!(lines.iter().map(|line| &line.of).eq(&each), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn query_ends_with_an_error_where_large_tables_are_scanned_for_questions_that_may_not() {
    // Where a table is so small, PostgreSQL scans it.
    let (output, json) = run("query", &of_query(&["--large", "1"])).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && json.is_none(), "{errors}");
    let named = "large tables were scanned sequentially for questions:\n";
    let (_, named) = errors.split_once(named).unwrap_or_else(|| panic!("{errors}"));
    let named: Vec<&str> = named.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert!(!named.is_empty(), "{errors}");
    let rows = told::rows(&String::from_utf8(output.stdout).unwrap());
    let scanned = rows.iter().filter(|row| row.table == "scanned for a question");
    let scanned: Vec<&str> = scanned.map(|row| row.of.as_str()).collect();
    assert!(named.iter().all(|one| scanned.contains(one)), "{named:?} {scanned:?}");
    // A board's rows are sorted, so that those of a small table are always scanned; and they may be.
    let may = |one: &&str| one.starts_with("rows of a board, open appeals: ");
    assert!(scanned.iter().any(may) && !named.iter().any(may), "{named:?} {scanned:?}");
    // All that was asked after that is told as well.
    assert!(rows.iter().any(|row| row.of == "board of a month, asked second"), "{rows:?}");
}
