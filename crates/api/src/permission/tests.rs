//! The table lists exactly the rpcs of the contract, and its queries are the only ones open to all.

use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorSet;

use super::*;
use crate::proto::FILE_DESCRIPTOR_SET;

fn contract() -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let ours = files.file.iter().filter(|file| file.package() == "doudi.v1");
    ours.flat_map(|file| &file.service)
        .flat_map(|service| {
            service
                .method
                .iter()
                .map(|method| format!("/doudi.v1.{}/{}", service.name(), method.name()))
        })
        .collect()
}

#[test]
fn the_table_lists_each_rpc_of_the_contract_once() {
    let listed: BTreeSet<String> = TABLE.iter().map(|row| row.rpc.to_owned()).collect();
    assert_eq!(listed.len(), TABLE.len(), "an rpc stands twice in the table");
    assert_eq!(listed, contract());
}

#[test]
fn commands_are_open_to_named_roles_only_and_never_to_those_who_only_watch() {
    for row in TABLE {
        let method = row.rpc.rsplit('/').next().unwrap();
        let queries = [
            "Get", "List", "Count", "Explain", "Suggest", "Watch", "Follow", "Download", "Stream",
            "Export", "Try",
        ];
        let query = queries.iter().any(|verb| method.starts_with(verb));
        let open = match method {
            "FollowCase" => RoleSet::of(&[Role::CaseHolder]),
            "ExplainPlan" => Role::OF_ACCOUNTS.without(Role::Enterprise),
            // Visits of others, for who could join them.
            "ListNearVisits" => RoleSet::of(&[Role::Inspector, Role::UnitHead]),
            // Whoever holds a code that hangs at an enterprise can scan it from anywhere.
            "GetEnterpriseCode" => RoleSet::of(&[Role::Enterprise, Role::Dispatcher, Role::Admin]),
            // Nobody else's to read, not even for who reads everything.
            "GetRating" => RoleSet::of(&[Role::Enterprise]),
            // Where partner systems take events in, and which of them they refused.
            "GetWebhook" | "ListWebhooks" | "ListDeadLetters" => Role::OF_ALL,
            // Tries out on everybody's cases what might be in force.
            "TryPolicy" => RoleSet::of(&[Role::Supervisor, Role::Admin]),
            // What names one appeal is for the holder of its case, too.
            "DownloadFile" | "ExplainDeadline" | "GetTimeLedger" | "GetAllowedActions" => {
                RoleSet::ALL
            }
            _ => Role::OF_ACCOUNTS,
        };
        assert_eq!(query, row.roles == open, "{}", row.rpc);
        assert!(!row.roles.is_empty(), "{}", row.rpc);
        if !query {
            assert!(!row.roles.contains(Role::Supervisor), "{}", row.rpc);
            assert!(!row.roles.contains(Role::Auditor), "{}", row.rpc);
        }
    }
}

#[test]
fn roles_are_spelled_one_way() {
    for role in Role::ALL {
        let of_account = Role::OF_ACCOUNTS.contains(role);
        assert_eq!(Role::parse(role.as_str()), of_account.then_some(role));
        let json = serde_json::to_string(&role).unwrap();
        assert_eq!(json, format!("{:?}", role.as_str()));
        assert!(RoleSet::ALL.contains(role));
    }
    assert_eq!(Role::parse("Admin"), None);
    assert_eq!(RoleSet::of(&[Role::Admin, Role::Auditor]), Role::OF_ALL);
    assert_eq!(Role::OF_ALL.to_string(), "auditor, admin");
}
