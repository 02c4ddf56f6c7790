//! How long a decision takes at 10,000 grants: `cargo run --release -p sealyard-identity --example authorization_speed`.
#![allow(clippy::print_stdout, reason = "a benchmark reports on stdout")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use sealyard_identity::{
    Authorizer, Edit, ExperimentId, Grant, Grantee, GroupId, Membership, Permission, Principal, PrincipalId,
    PrincipalName, Right, RoleName, Via,
};

const GRANTS: usize = 10_000;
const ROLES: usize = 20;
const GROUPS: usize = 20;
const ROUNDS: u32 = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let ada =
        Principal { id: PrincipalId::new("u1")?, name: PrincipalName::new("ada")?, admin: false, via: Via::Session };
    let mut grants = Vec::with_capacity(GRANTS);
    for number in 0..GRANTS {
        // A third for the principal, a third for its groups, the rest for its roles; exact ids and prefixes of many lengths.
        let grantee = match number % 3 {
            0 => Grantee::Principal(ada.id.clone()),
            1 => Grantee::Group(GroupId::new(format!("group{}", number % GROUPS))?),
            _ => Grantee::Role(RoleName::new(format!("role{}", number % ROLES))?),
        };
        let star = if number % 2 == 0 { "*" } else { "" };
        let pattern = format!("experiment:{}{number}{star}", "x".repeat(number % 40)).parse()?;
        grants.push(Grant { grantee, pattern, right: Right::Level(Permission::Read) });
    }
    let mut memberships = Vec::new();
    for role in 0..ROLES {
        memberships
            .push(Membership { principal: ada.id.clone(), of: Grantee::Role(RoleName::new(format!("role{role}"))?) });
    }
    for group in 0..GROUPS {
        let of = Grantee::Group(GroupId::new(format!("group{group}"))?);
        memberships.push(Membership { principal: ada.id.clone(), of });
    }
    let last = ExperimentId::new("allowed")?;
    let right = Right::Level(Permission::Edit);
    grants.push(Grant { grantee: Grantee::Principal(ada.id.clone()), pattern: "experiment:allowed".parse()?, right });

    let building = Instant::now();
    let authorizer = Authorizer::new(grants, memberships);
    println!("built from {GRANTS} grants in {:?}", building.elapsed());

    let missing = ExperimentId::new(format!("{}12345", "x".repeat(39)))?;
    for (what, resource, allowed) in [("allowed", last, true), ("denied", missing, false)] {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let decision = black_box(&authorizer).authorize(
                &sealyard_identity::WorkspaceName::default(),
                black_box(&ada),
                Edit,
                resource.clone(),
            );
            assert_eq!(decision.is_ok(), allowed);
        }
        println!("{what}: {:?} a decision", start.elapsed() / ROUNDS);
    }
    Ok(())
}
