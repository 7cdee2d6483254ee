//! What is refused when there is too much to do, and how it is said.

use std::sync::Mutex;

use tonic::Code;

use super::{
    super::requests::reason,
    raw::{HELLO, beginning, says},
    *,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_refuses_at_once_in_words_and_answers_health_and_administrators() {
    let settings = [("requests_in_flight_max", "4"), ("requests_per_caller_max", "2")];
    let mut besieged = Besieged::start(&settings).await;
    // Calls whose messages do not come are at work until their deadline.
    let held = Mutex::new(vec![]);
    let hold = async |sub: &str| {
        let token = besieged.token(Role::Auditor, sub);
        let mut words = HELLO.to_vec();
        for stream in [1, 3] {
            words.extend(beginning(stream, "/doudi.v1.TimelineService/ListTimeline", &token));
        }
        let connection = says(besieged.listen, &words).await.unwrap();
        held.lock().unwrap().push(connection);
    };
    let client = |role, sub: &str| {
        Client::new(&besieged.channel, &besieged.token(role, sub)).unwrap().timelines
    };
    let page = || {
        let enterprise_id = ENTERPRISES[0].0.to_owned();
        ListTimelineRequest { enterprise_id, page_size: 1, ..<_>::default() }
    };
    for (holder, sub, said) in [("a", "a", "CALLER_TOO_BUSY"), ("b", "c", "OVERLOADED")] {
        // One that looks may have taken the place of one that is to hold it.
        let refused = until(BOUND, || async {
            hold(holder).await;
            client(Role::Auditor, sub).list_timeline(page()).await.err()
        });
        let refused = refused.await.expect("there is no place");
        assert_eq!((refused.code(), &*reason(&refused)), (Code::ResourceExhausted, said));
    }
    client(Role::Admin, "d").list_timeline(page()).await.unwrap();
    let mut health = HealthClient::new(besieged.channel.clone());
    health.check(HealthCheckRequest::default()).await.unwrap();
    drop(held);
    let free =
        until(BOUND, || async { client(Role::Auditor, "c").list_timeline(page()).await.ok() });
    assert!(free.await.is_some(), "places were lost");
    besieged.goes_on(1).await;
    besieged.end().await;
}
