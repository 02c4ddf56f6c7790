use proptest::prelude::*;
use sealyard_identity::*;

fn principal(id: &str) -> Principal {
    Principal {
        id: PrincipalId::new(id).unwrap(),
        name: PrincipalName::new(id).unwrap(),
        admin: false,
        via: Via::Password,
    }
}

fn admin() -> Principal {
    Principal { admin: true, ..principal("root") }
}

fn with_scopes(owner: Principal, scopes: &[&str]) -> Principal {
    let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    Principal { via: Via::Token { token_id: TokenId::new("t1").unwrap(), scopes, expires: None }, ..owner }
}

fn grant(grantee: &str, pattern: &str, right: &str) -> Grant {
    Grant { grantee: grantee.parse().unwrap(), pattern: pattern.parse().unwrap(), right: right.parse().unwrap() }
}

fn member(principal: &str, role: &str) -> Membership {
    Membership { principal: PrincipalId::new(principal).unwrap(), of: Grantee::Role(RoleName::new(role).unwrap()) }
}

fn here() -> WorkspaceName {
    WorkspaceName::default()
}

fn experiment(id: &str) -> ExperimentId {
    ExperimentId::new(id).unwrap()
}

fn model(name: &str) -> RegistryEntry {
    RegistryEntry::new(ModelName::new(name).unwrap(), false)
}

fn prompt(name: &str) -> RegistryEntry {
    RegistryEntry::new(ModelName::new(name).unwrap(), true)
}

fn dataset(id: &str) -> DatasetId {
    DatasetId::new(id).unwrap()
}

#[test]
fn a_right_on_prompts_is_none_on_models() {
    let grants = [("prompt:p*", "EDIT"), ("prompt:q", "READ"), ("prompt:r", "act:promote")];
    let grants = grants.iter().map(|(pattern, right)| grant("principal:ada", pattern, right)).collect();
    let authorizer = Authorizer::new(grants, vec![]);
    let ada = principal("ada");
    assert!(authorizer.authorize(&here(), &ada, Edit, prompt("p")).is_ok());
    assert!(authorizer.authorize(&here(), &ada, Edit, prompt("plan")).is_ok());
    assert!(authorizer.authorize(&here(), &ada, Manage, prompt("p")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Read, prompt("q")).is_ok());
    assert!(authorizer.authorize(&here(), &ada, Edit, prompt("q")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Promote, prompt("r")).is_ok());
    for name in ["p", "plan", "q", "r"] {
        assert!(authorizer.authorize(&here(), &ada, Read, model(name)).is_err(), "{name}");
        assert!(authorizer.authorize(&here(), &ada, Promote, model(name)).is_err(), "{name}");
    }
    assert!(authorizer.tells_prompts_apart(&ada, &here()));
    assert!(!authorizer.tells_prompts_apart(&ada, &WorkspaceName::new("team-a").unwrap()));
    assert!(!authorizer.tells_prompts_apart(&principal("bob"), &here()));
}

#[test]
fn a_prompt_is_one_of_the_registrys_names() {
    let grants = vec![
        grant("principal:ada", "registered-model:*", "EDIT"),
        grant("principal:ada", "prompt:secret-*", "DENY"),
        grant("principal:bob", "prompt:*", "READ"),
        grant("principal:bob", "registered-model:secret-*", "DENY"),
    ];
    let authorizer = Authorizer::new(grants, vec![]);
    let (ada, bob) = (principal("ada"), principal("bob"));
    assert!(authorizer.authorize(&here(), &ada, Edit, prompt("hello")).is_ok());
    assert!(authorizer.authorize(&here(), &ada, Read, prompt("secret-1")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Edit, model("secret-1")).is_ok());
    assert!(authorizer.authorize(&here(), &bob, Read, prompt("hello")).is_ok());
    assert!(authorizer.authorize(&here(), &bob, Read, prompt("secret-1")).is_err());
    let token = with_scopes(ada.clone(), &["prompt:hello:read"]);
    assert!(authorizer.authorize(&here(), &token, Read, prompt("hello")).is_ok());
    assert!(authorizer.authorize(&here(), &token, Edit, prompt("hello")).is_err());
    assert!(authorizer.authorize(&here(), &token, Read, model("hello")).is_err());
    assert!(authorizer.tells_prompts_apart(&token, &here()));
    let wide = with_scopes(principal("bob"), &["registered-model:hello:read"]);
    assert!(authorizer.authorize(&here(), &wide, Read, prompt("hello")).is_ok());
}

#[test]
fn a_right_on_a_data_set_is_on_that_one() {
    let grants = vec![grant("principal:ada", "dataset:d-1", "EDIT"), grant("role:all", "dataset:*", "READ")];
    let authorizer = Authorizer::new(grants, vec![member("bob", "all")]);
    let (ada, bob) = (principal("ada"), principal("bob"));
    assert!(authorizer.authorize(&here(), &ada, Edit, dataset("d-1")).is_ok());
    assert!(authorizer.authorize(&here(), &ada, Read, dataset("d-2")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Read, experiment("d-1")).is_err());
    assert!(authorizer.authorize(&here(), &bob, Read, dataset("d-2")).is_ok());
    assert!(authorizer.authorize(&here(), &bob, Edit, dataset("d-2")).is_err());
    assert!(authorizer.authorize(&WorkspaceName::new("team-a").unwrap(), &bob, Read, dataset("d-2")).is_err());
}

#[test]
fn nothing_is_allowed_by_default() {
    let authorizer = Authorizer::new(vec![], vec![]);
    let denied = authorizer.authorize(&here(), &principal("ada"), Read, experiment("7")).unwrap_err();
    assert_eq!(denied.rule, "authorization");
    assert_eq!(denied.action, ActionKind::Level(Permission::Read));
    assert_eq!(denied.resource.to_string(), "experiment:7");
    assert_eq!(denied.to_string(), "ada may not read experiment:7: not enough: no grant gives READ");
}

#[test]
fn a_level_holds_the_ones_before_it_and_no_more() {
    let authorizer = Authorizer::new(vec![grant("principal:ada", "experiment:7", "EDIT")], vec![]);
    let ada = principal("ada");
    let may = authorizer.authorize(&here(), &ada, Edit, experiment("7")).unwrap();
    assert_eq!((may.principal(), may.resource()), (&ada, &experiment("7")));
    assert_eq!(may.weaken::<Read>().action(), ActionKind::Level(Permission::Read));
    assert!(authorizer.authorize(&here(), &ada, Read, experiment("7")).is_ok());
    assert!(authorizer.authorize(&here(), &ada, Manage, experiment("7")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Read, experiment("77")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Read, model("7")).is_err());
    assert!(authorizer.authorize(&here(), &principal("eve"), Read, experiment("7")).is_err());
    assert_eq!(authorizer.permission(&here(), &ada, &experiment("7").resource()), Permission::Edit);
    assert_eq!(authorizer.permission(&here(), &ada, &experiment("8").resource()), Permission::No);
}

#[test]
fn acts_take_manage_or_their_own_grant() {
    let grants = vec![
        grant("principal:editor", "registered-model:m", "EDIT"),
        grant("principal:manager", "registered-model:m", "MANAGE"),
        grant("principal:promoter", "registered-model:m", "act:promote"),
    ];
    let authorizer = Authorizer::new(grants, vec![]);
    let denied = authorizer.authorize(&here(), &principal("editor"), Promote, model("m")).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "editor may not promote registered-model:m: not enough: EDIT on registered-model:m to principal:editor; \
         not enough: no grant gives MANAGE or act:promote"
    );
    assert!(authorizer.authorize(&here(), &principal("manager"), Promote, model("m")).is_ok());
    assert!(authorizer.authorize(&here(), &principal("manager"), Approve, model("m")).is_ok());
    assert!(authorizer.authorize(&here(), &principal("promoter"), Promote, model("m")).is_ok());
    assert!(authorizer.authorize(&here(), &principal("promoter"), Deploy, model("m")).is_err());
    assert!(authorizer.authorize(&here(), &principal("promoter"), Publish, model("m")).is_err());
    assert!(authorizer.authorize(&here(), &principal("promoter"), Read, model("m")).is_err());
    assert!(authorizer.authorize(&here(), &principal("promoter"), Promote, model("other")).is_err());
}

#[test]
fn roles_and_patterns_give_what_they_say() {
    let grants = vec![
        grant("role:fraud", "registered-model:fraud-*", "USE"),
        grant("role:everyone", "registered-model:*", "READ"),
        grant("principal:fraud", "experiment:*", "MANAGE"),
    ];
    let authorizer = Authorizer::new(grants, vec![member("ada", "fraud"), member("ada", "everyone")]);
    let ada = principal("ada");
    assert!(authorizer.authorize(&here(), &ada, Use, model("fraud-eu")).is_ok());
    assert!(authorizer.authorize(&here(), &ada, Use, model("fraud")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Read, model("other")).is_ok());
    // A principal whose id is a role's name doesn't have the role, nor the other way round.
    assert!(authorizer.authorize(&here(), &principal("everyone"), Read, model("other")).is_err());
    assert!(authorizer.authorize(&here(), &ada, Read, experiment("1")).is_err());
}

/// Thousands of grants can speak of one thing; whoever is told no is not to cost as much as writing them all out.
#[test]
fn a_refusal_names_a_few_reasons_and_counts_the_rest() {
    let roles = (0..100).map(|number| format!("r{number:02}"));
    let (grants, roles): (Vec<_>, Vec<_>) =
        roles.map(|role| (grant(&format!("role:{role}"), "experiment:7", "READ"), member("ada", &role))).unzip();
    let ada = principal("ada");
    let denied = |grants: Vec<Grant>| {
        let authorizer = Authorizer::new(grants, roles.clone());
        let explanation =
            authorizer.explain(&here(), &ada, ActionKind::Level(Permission::Edit), experiment("7").resource());
        (authorizer.authorize(&here(), &ada, Edit, experiment("7")).unwrap_err(), explanation.considered.len())
    };
    let (few, all) = denied(grants.clone());
    assert_eq!((few.reasons.len(), few.more, all), (Denied::REASONS, 101 - Denied::REASONS, 101));
    assert!(few.to_string().ends_with("not enough: READ on experiment:7 to role:r15; and 85 more"), "{few}");
    // One that forbids is named, however many come before it.
    let last = grant("role:r99", "experiment:*", "DENY");
    let (few, _) = denied([grants, vec![last]].concat());
    assert_eq!((few.reasons.len(), few.more), (1, 0));
    assert_eq!(few.reasons[0].to_string(), "denied by DENY on experiment:* to role:r99");
}

#[test]
fn deny_wins_over_grants_and_administrators_but_can_not_lock_everyone_out() {
    let grants = vec![
        grant("principal:ada", "experiment:*", "MANAGE"),
        grant("role:suspended", "experiment:7", "DENY"),
        grant("principal:root", "registered-model:m", "DENY"),
        grant("principal:root", "users", "DENY"),
    ];
    let authorizer = Authorizer::new(grants, vec![member("ada", "suspended")]);
    let denied = authorizer.authorize(&here(), &principal("ada"), Read, experiment("7")).unwrap_err();
    assert_eq!(denied.reasons.len(), 1);
    assert_eq!(denied.reasons[0].to_string(), "denied by DENY on experiment:7 to role:suspended");
    assert!(authorizer.authorize(&here(), &principal("ada"), Manage, experiment("8")).is_ok());
    assert!(authorizer.authorize(&here(), &admin(), Promote, model("m")).is_err());
    assert!(authorizer.authorize(&here(), &admin(), Promote, model("n")).is_ok());
    assert!(authorizer.authorize(&here(), &admin(), Administer, UserDirectory).is_ok());
}

#[test]
fn only_administrators_administer() {
    let authorizer = Authorizer::new(vec![grant("principal:ada", "server", "MANAGE")], vec![]);
    assert!(authorizer.authorize(&here(), &principal("ada"), Manage, ServerWide).is_ok());
    assert!(authorizer.authorize(&here(), &principal("ada"), Administer, ServerWide).is_err());
    assert!(authorizer.authorize(&here(), &admin(), Administer, ServerWide).is_ok());
    assert!(authorizer.authorize(&here(), &admin(), Administer, PolicySet).is_ok());
    assert!(authorizer.authorize(&here(), &admin(), Manage, LedgerLog).is_ok());
}

#[test]
fn a_token_is_limited_to_its_scopes_even_an_administrators() {
    let authorizer = Authorizer::new(vec![grant("principal:ada", "experiment:*", "READ")], vec![]);
    let job = with_scopes(admin(), &["experiment:7:edit"]);
    assert!(authorizer.authorize(&here(), &job, Edit, experiment("7")).is_ok());
    assert!(authorizer.authorize(&here(), &job, Manage, experiment("7")).is_err());
    assert!(authorizer.authorize(&here(), &job, Read, experiment("8")).is_err());
    assert!(authorizer.authorize(&here(), &job, Publish, model("m")).is_err());
    let denied = authorizer.authorize(&here(), &job, Administer, UserDirectory).unwrap_err();
    assert!(denied.to_string().contains("the token's scopes [experiment:7:edit]"), "{denied}");
    assert!(authorizer.authorize(&here(), &with_scopes(admin(), &[]), Read, experiment("7")).is_err());
    assert!(authorizer.authorize(&here(), &with_scopes(admin(), &["all"]), Administer, UserDirectory).is_ok());
    // A scope never gives more than the owner has.
    assert!(
        authorizer
            .authorize(&here(), &with_scopes(principal("ada"), &["experiment:7:edit"]), Edit, experiment("7"))
            .is_err()
    );
    assert!(authorizer.authorize(&here(), &with_scopes(principal("ada"), &["all"]), Read, experiment("7")).is_ok());
}

#[test]
fn an_explanation_lists_everything_considered() {
    let grants = vec![grant("role:r", "experiment:7", "READ"), grant("principal:ada", "experiment:*", "EDIT")];
    let authorizer = Authorizer::new(grants, vec![member("ada", "r")]);
    let explanation =
        authorizer.explain(&here(), &principal("ada"), "edit".parse().unwrap(), "experiment:7".parse().unwrap());
    assert!(explanation.allowed);
    let said: Vec<String> = explanation.considered.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["allowed by EDIT on experiment:* to principal:ada", "not enough: READ on experiment:7 to role:r"]
    );
}

/// The rules of [`Authorizer`] read off its documentation, without an index.
fn plainly(grants: &[Grant], roles: &[Membership], who: &Principal, action: ActionKind, to: &Resource) -> bool {
    let within = who.scopes().is_none_or(|scopes| scopes.iter().any(|scope| scope.covers(action, &here(), to)));
    let mine = |grant: &&Grant| {
        grant.pattern.matches(&here(), to)
            && match &grant.grantee {
                Grantee::Principal(id) => *id == who.id,
                other => roles.iter().any(|has| has.principal == who.id && has.of == *other),
            }
    };
    let denied =
        grants.iter().filter(mine).any(|grant| grant.right == Right::Deny) && !(who.admin && *to == Resource::Users);
    let granted = grants.iter().filter(mine).any(|grant| match (grant.right, action) {
        (Right::Level(level), ActionKind::Level(needed)) => level >= needed,
        (Right::Level(level), ActionKind::Act(act)) => act != Act::BreakGlass && level == Permission::Manage,
        (Right::Level(level), ActionKind::Provision) => level == Permission::Manage,
        (Right::Act(act), ActionKind::Act(needed)) => act == needed,
        _ => false,
    });
    within && !denied && (who.admin || granted)
}

proptest! {
    #[test]
    fn the_index_decides_as_the_plain_rules_do(
        grants in proptest::collection::vec((
            prop::sample::select(vec!["principal:a", "principal:b", "role:r", "role:s"]),
            prop::sample::select(vec![
                "experiment:1", "experiment:1*", "experiment:12", "experiment:*", "registered-model:é*",
                "registered-model:éa", "registered-model:*", "users", "server",
            ]),
            prop::sample::select(vec!["NO", "READ", "USE", "EDIT", "MANAGE", "DENY", "act:promote", "act:deploy", "act:break-glass"]),
        ), 0..8),
        roles in proptest::collection::vec((prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["r", "s"])), 0..3),
        who in prop::sample::select(vec!["a", "b", "c"]),
        is_admin in any::<bool>(),
        scopes in proptest::option::of(proptest::collection::vec(
            prop::sample::select(vec!["all", "read", "scim", "experiment:1*:edit", "registered-model:*:manage", "registered-model:éa:promote"]), 0..3)),
        action in prop::sample::select(vec!["read", "use", "edit", "manage", "promote", "deploy", "break-glass", "provision", "administer"]),
        to in prop::sample::select(vec!["experiment:1", "experiment:12", "experiment:2", "registered-model:éa", "registered-model:x", "users", "server"]),
    ) {
        let grants: Vec<Grant> = grants.into_iter().map(|(who, what, right)| grant(who, what, right)).collect();
        let roles: Vec<Membership> = roles.into_iter().map(|(who, role)| member(who, role)).collect();
        let mut who = Principal { admin: is_admin, ..principal(who) };
        if let Some(scopes) = scopes {
            who = with_scopes(who, &scopes);
        }
        let (action, to): (ActionKind, Resource) = (action.parse().unwrap(), to.parse().unwrap());
        let expected = plainly(&grants, &roles, &who, action, &to);
        let authorizer = Authorizer::new(grants, roles);
        // Without an explanation, what can change nothing is not looked at.
        if let ActionKind::Level(level) = action {
            prop_assert_eq!(authorizer.permission(&here(), &who, &to) >= level, expected);
        }
        let explained = authorizer.explain(&here(), &who, action, to);
        prop_assert_eq!(explained.allowed, expected);
    }
}

#[test]
fn a_right_in_one_workspace_is_none_in_another() {
    let there = WorkspaceName::new("team-a").unwrap();
    let rights = [
        ("a", "experiment:*", "MANAGE"),
        ("a", "registered-model:m", "MANAGE"),
        ("a", "server", "MANAGE"),
        ("b", "team-a/experiment:*", "MANAGE"),
        ("b", "team-a/registered-model:m*", "MANAGE"),
        ("b", "workspace:team-a", "EDIT"),
    ];
    let grants = rights.map(|(who, pattern, right)| grant(&format!("principal:{who}"), pattern, right)).to_vec();
    let authorizer = Authorizer::new(grants, vec![]);
    for (who, its, others) in [("a", here(), there.clone()), ("b", there.clone(), here())] {
        let who = principal(who);
        assert!(authorizer.authorize(&its, &who, Manage, experiment("7")).is_ok());
        assert!(authorizer.authorize(&its, &who, Promote, model("m")).is_ok());
        // What the server is there, the workspace is in the others.
        assert!(authorizer.authorize(&its, &who, Edit, ServerWide).is_ok());
        assert!(authorizer.authorize(&others, &who, Read, experiment("7")).is_err());
        assert!(authorizer.authorize(&others, &who, Read, model("m")).is_err());
        assert!(authorizer.authorize(&others, &who, Edit, ServerWide).is_err());
        assert!(its.is_default() || authorizer.speaks_of(&who, &its));
        assert!(!authorizer.speaks_of(&who, &others));
    }
    // The same for what a token is limited to; nothing keeps an administrator out.
    let job = with_scopes(admin(), &["experiment:7:edit"]);
    assert!(authorizer.authorize(&here(), &job, Edit, experiment("7")).is_ok());
    assert!(authorizer.authorize(&there, &job, Edit, experiment("7")).is_err());
    assert!(authorizer.authorize(&there, &admin(), Manage, experiment("7")).is_ok());
}

/// What is for emergencies is given by name, to whoever it may be; it is not part of managing a model.
#[test]
fn breaking_glass_takes_its_own_grant() {
    let grants = vec![
        grant("principal:a", "registered-model:*", "MANAGE"),
        grant("principal:b", "registered-model:m", "act:break-glass"),
        grant("principal:c", "registered-model:m", "act:break-glass"),
        grant("principal:c", "registered-model:m", "DENY"),
    ];
    let authorizer = Authorizer::new(grants, vec![]);
    let may = |who: &Principal| authorizer.authorize(&here(), who, BreakGlass, model("m")).is_ok();
    assert_eq!(["a", "b", "c"].map(|who| may(&principal(who))), [false, true, false]);
    assert!(may(&admin()));
    assert!(!may(&with_scopes(principal("b"), &["registered-model:m:manage"])));
    assert!(may(&with_scopes(principal("b"), &["registered-model:m:break-glass"])));
}
