//! Events of the first version in their newest shape. It knew neither case types nor clocks, only the
//! date by which the next step was due.

use serde_json::{Value, json};

/// Names of the clocks that stand for the due dates of the first version.
const ACCEPT: u32 = 1;
const DISPATCH: u32 = 2;
const RESOLVE: u32 = 3;

/// Lifts the data of a version-1 event; none when that version never had such an event.
pub(crate) fn from_v1(name: &str, mut data: Value) -> Option<Value> {
    let clocks = match name {
        "AppealSubmitted" => change(due(&mut data, ACCEPT, "accept"), &[]),
        "AppealAccepted" => change(due(&mut data, DISPATCH, "dispatch"), &[ACCEPT]),
        "AppealDispatched" => {
            let unit = data["route"]["unit"].clone();
            let owned = |mut clock: Value| {
                clock["owner"] = json!({ "unit": unit });
                clock
            };
            change(due(&mut data, RESOLVE, "resolve").map(owned), &[DISPATCH])
        }
        "ResolutionObjected" => change(due(&mut data, RESOLVE, "resolve"), &[]),
        "AppealResolved" => change(None, &[RESOLVE]),
        "AppealSignedFor" | "ResolutionConfirmed" => change(None, &[]),
        "AppealClosed" => change(None, &[ACCEPT, DISPATCH, RESOLVE]),
        _ => return None,
    };
    let fields = data.as_object_mut()?;
    fields.insert("clocks".to_owned(), clocks);
    if name == "AppealSubmitted" {
        fields.insert("terms".to_owned(), terms());
    }
    if name == "AppealClosed" {
        fields.insert("how".to_owned(), json!("confirmed"));
    }
    Some(data)
}

/// The first version did not say when: its instants are those of its due dates, or unknown.
fn change(clock: Option<Value>, stopped: &[u32]) -> Value {
    let start = clock.as_ref().map(|clock| clock["start"].clone());
    let at = start.unwrap_or_else(|| json!("1970-01-01T00:00:00Z"));
    json!({ "at": at, "set": clock.into_iter().collect::<Vec<_>>(), "stopped": stopped })
}

/// The clock that keeps a due date's promise.
fn due(data: &mut Value, id: u32, kind: &str) -> Option<Value> {
    let due = data.as_object_mut()?.remove("due").filter(|due| !due.is_null())?;
    let (start, on) = (due["start"].as_str()?, due["on"].as_str()?);
    // Due at the end of that day in Asia/Shanghai; the first version knew no hours.
    let at = format!("{on}T23:59:59+08:00");
    Some(json!({
        "id": id, "kind": kind, "owner": "city_desk",
        "start": format!("{start}T00:00:00+08:00"), "working_days": due["working_days"],
        "due": at, "steps": [{ "at": at, "step": "red" }], "taken": 0,
        "derivation": {
            "terms_version": 0, "calendar_version": due["calendar_version"],
            "provisional": due["provisional"], "exceptions": [], "pauses": [], "extensions": [],
        },
    }))
}

/// The terms that the first version wrote into its rules.
fn terms() -> Value {
    json!({ "version": 0, "case_type": {
        "id": "general", "title": "一般诉求",
        "classes": [{ "id": "general", "title": "一般", "resolve": 5 }],
        "allowances": {
            "accept": 1, "dispatch": 1, "contact": 1, "contest": 1, "ruling": 1, "co_handling": 3,
            "feedback": 5, "close": 1, "opinion": 3, "conclusion": 5,
        },
        "warnings": { "blue_percent": 67, "yellow_percent": 90 },
        "ladder": [
            { "escalation": "urge", "after_working_days": 0 },
            { "escalation": "supervise", "after_working_days": 2 },
            { "escalation": "circulate", "after_working_days": 5 },
            { "escalation": "summon", "after_working_days": 10 },
        ],
        "bounds": {
            "bounces_max": 2, "objections_max": 2, "extension_max": 5, "pause_max": 10,
            "reopen_days": 15, "false_closure_days": 90,
        },
        "lead": null, "competences": [], "mediation": null, "source": "首版缺省值",
        "is_default": true,
    }})
}
