//! Suggestions while an appeal is taken in: its topic, and whether it was said before.

use doudi_api::proto::{
    DuplicateSuggestion, SuggestDuplicatesRequest, SuggestTopicsRequest, SuggestTopicsResponse,
};

use super::*;

fn saying(enterprise: &str, topic: &str, text: &str) -> SubmitAppealRequest {
    SubmitAppealRequest { description: text.to_owned(), ..submission(enterprise, topic) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_suggested_from_the_words() {
    let world = World::bare().await;
    let mut desk = world.role(Role::Dispatcher);
    let ask = |text: &str, limit| SuggestTopicsRequest { text: text.to_owned(), limit };
    let nothing = desk.cases.suggest_topics(ask("用电报装", 0)).await.unwrap().into_inner();
    assert_eq!(nothing, SuggestTopicsResponse::default(), "nothing is published yet");
    let plan = doudi_server::catalogue::Plan::published().unwrap();
    world.publish(plan.routing()).await;

    let words = "我公司申请用电报装已两周，供电公司没有答复";
    let found = desk.cases.suggest_topics(ask(words, 3)).await.unwrap().into_inner();
    let best = &found.suggestions[0];
    assert_eq!((best.topic.as_str(), best.unit.as_str()), ("T06", "power-supply"));
    assert_eq!(best.title, "提升用电报装网办效率");
    assert!(found.suggestions.is_sorted_by(|one, next| one.score >= next.score));
    assert!(found.suggestions.len() <= 3 && found.routing_version == 1);
    let none = desk.cases.suggest_topics(ask("🀄🀄", 0)).await.unwrap().into_inner();
    assert_eq!(none.suggestions, []);
    assert_eq!(refused(desk.cases.suggest_topics(ask(" ", 0)).await), "REQUEST_INVALID");
    world.stop().await;
}

async fn alike(
    client: &mut Client,
    enterprise: &str,
    text: &str,
    min_position: &str,
) -> Vec<DuplicateSuggestion> {
    let request = SuggestDuplicatesRequest {
        enterprise_id: enterprise.to_owned(),
        topic: "T06".to_owned(),
        text: text.to_owned(),
        min_position: min_position.to_owned(),
    };
    client.cases.suggest_duplicates(request).await.unwrap().into_inner().suggestions
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_is_found_among_what_the_caller_sees() {
    let world = World::start().await;
    let words = "我公司申请用电报装已两周，供电公司一直未答复";
    let near = "用电报装申请两周了，供电公司未答复我公司";
    let same = Case::submit(&world, saying("L-1", "T06", words)).await;
    let similar = Case::dispatched(&world, saying("L-1", "T06", near)).await;
    Case::submit(&world, saying("L-1", "T06", "变压器噪声扰民，希望尽快处理")).await;
    Case::submit(&world, saying("L-1", "T02", words)).await;
    Case::submit(&world, saying("L-2", "T06", words)).await;
    let secret = SubmitAppealRequest {
        description: words.to_owned(),
        ..confidential("L-1", "T06", Confidentiality::Confidential)
    };
    Case::submit(&world, secret).await;
    let erased = Case::submit(&world, saying("L-1", "T06", words)).await;
    let position = erased.erase(&world).await;

    let mut desk = world.role(Role::Dispatcher);
    let found = alike(&mut desk, "L-1", words, &position).await;
    let ids: Vec<&str> =
        found.iter().map(|one| one.appeal.as_ref().unwrap().appeal_id.as_str()).collect();
    assert_eq!(ids, [same.appeal.as_str(), similar.appeal.as_str()], "most similar first");
    assert_eq!(found[0].similarity_percent, 100);
    assert!((40..100).contains(&found[1].similarity_percent));
    assert_eq!(alike(&mut desk, "L-1", "与此无关的另一件事", &position).await, []);

    // The unit sees the one that is with it; another enterprise may not even ask.
    let with_unit = alike(&mut world.unit("power-supply"), "L-1", words, &position).await;
    assert_eq!(with_unit.len(), 1);
    assert_eq!(with_unit[0].appeal.as_ref().unwrap().appeal_id, similar.appeal);
    assert_eq!(alike(&mut world.unit("tax"), "L-1", words, &position).await, []);
    assert_eq!(alike(&mut world.enterprise("L-1"), "L-1", words, &position).await.len(), 2);
    let foreign = SuggestDuplicatesRequest {
        enterprise_id: "L-1".to_owned(),
        topic: "T06".to_owned(),
        text: words.to_owned(),
        min_position: String::new(),
    };
    let foreign = world.enterprise("L-2").cases.suggest_duplicates(foreign).await;
    assert_eq!(refused(foreign), "OUTSIDE_SCOPE");
    world.stop().await;
}
