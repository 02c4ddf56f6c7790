//! How long a decision takes at 10,000 grants: `cargo run --release -p sealyard-identity --example authorization_speed`.
//!
//! Each kind is a set of grants and a question that is hard in its own way. Printed are the median and the slowest of a hundred of
//! 20,000 decisions (or as many as there are in three seconds), each timed alone; a median above 20 µs in a kind that can happen by itself ends it with an error. What a
//! refusal says of its reasons is part of it.
#![allow(clippy::print_stdout, reason = "a benchmark reports on stdout")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use sealyard_identity::{
    Authorizer, Edit, ExperimentId, Grant, Grantee, GroupId, Membership, Permission, Principal, PrincipalId,
    PrincipalName, Right, RoleName, Via, WorkspaceName,
};

const GRANTS: usize = 10_000;
const ROUNDS: usize = 20_000;
/// A kind is measured so long at most.
const LONGEST: Duration = Duration::from_secs(3);
/// A decision may take so long.
const BOUND: f64 = 20.0;

type Made = Result<Vec<Grant>, Box<dyn Error>>;

/// Everybody's groups and roles are so many, half of each.
const MEMBERSHIPS: usize = 40;
/// What somebody with very many has.
const MANY: usize = 200;

struct Kind {
    what: &'static str,
    memberships: usize,
    grants: Vec<Grant>,
    asked: String,
    allowed: bool,
    /// Whether somebody has to want it to be slow.
    contrived: bool,
}

fn grantee(number: usize) -> Result<Grantee, Box<dyn Error>> {
    Ok(match number % 2 {
        0 => Grantee::Group(GroupId::new(format!("group{number}"))?),
        _ => Grantee::Role(RoleName::new(format!("role{number}"))?),
    })
}

fn ada() -> Result<Grantee, Box<dyn Error>> {
    Ok(Grantee::Principal(PrincipalId::new("u1")?))
}

fn grant(grantee: Grantee, pattern: &str, right: Right) -> Result<Grant, Box<dyn Error>> {
    Ok(Grant { grantee, pattern: pattern.parse()?, right })
}

/// A third for the principal, a third for its groups, the rest for its roles; exact ids and prefixes of 40 lengths, a DENY
/// in each hundred.
fn mixed(memberships: usize) -> Made {
    let mut grants = Vec::with_capacity(GRANTS);
    for number in 0..GRANTS {
        let who = if number % 3 == 0 { ada()? } else { grantee(number % memberships)? };
        let star = if number % 2 == 0 { "*" } else { "" };
        let right = if number % 100 == 1 { Right::Deny } else { Right::Level(Permission::Read) };
        grants.push(grant(who, &format!("experiment:{}{number}{star}", "x".repeat(number % 40)), right)?);
    }
    Ok(grants)
}

/// The same with grants of one's own and of groups that decide about `allowed` and `forbidden`.
fn mixed_with(memberships: usize) -> Made {
    let mut grants = mixed(memberships)?;
    let edit = Right::Level(Permission::Edit);
    grants.push(grant(ada()?, "experiment:allowed", edit)?);
    grants.push(grant(grantee(3)?, "experiment:by-role-*", edit)?);
    grants.push(grant(grantee(1)?, "experiment:forbidden-*", edit)?);
    grants.push(grant(grantee(2)?, "experiment:forbidden-7", Right::Deny)?);
    Ok(grants)
}

/// Everything for others: 10,000 groups and roles have all experiments, and one is the principal's.
fn wildcard_of_all() -> Made {
    (0..GRANTS).map(|number| grant(grantee(number)?, "experiment:*", Right::Level(Permission::Edit))).collect()
}

/// So many prefixes of one id for each of many roles; `with` says what each gives. All speak of what is asked.
fn nested(lengths: usize, with: impl Fn(usize) -> Right) -> Made {
    let mut grants = Vec::with_capacity(GRANTS);
    for number in 0..GRANTS {
        let (role, length) = (number / lengths, number % lengths);
        grants.push(grant(grantee(role)?, &format!("experiment:{}*", "x".repeat(length + 1)), with(number))?);
    }
    Ok(grants)
}

fn kinds() -> Result<Vec<Kind>, Box<dyn Error>> {
    let read = |_| Right::Level(Permission::Read);
    let edit = |_| Right::Level(Permission::Edit);
    let deny_of_others = |number: usize| if number >= 9_900 { Right::Deny } else { Right::Level(Permission::Read) };
    let x = |length: usize| "x".repeat(length);
    let kind = |what, memberships, grants, asked: &str, allowed| Kind {
        what,
        memberships,
        grants,
        asked: asked.to_owned(),
        allowed,
        contrived: false,
    };
    Ok(vec![
        kind("allowed by an exact grant", MEMBERSHIPS, mixed_with(MEMBERSHIPS)?, "allowed", true),
        kind("allowed by a role's prefix", MEMBERSHIPS, mixed_with(MEMBERSHIPS)?, "by-role-7", true),
        kind("denied by a group's DENY", MEMBERSHIPS, mixed_with(MEMBERSHIPS)?, "forbidden-7", false),
        kind("nothing speaks of it", MEMBERSHIPS, mixed(MEMBERSHIPS)?, &format!("{}12345", x(39)), false),
        kind("the same, 200 groups and roles", MANY, mixed(MANY)?, &format!("{}12345", x(39)), false),
        kind("all experiments to 10,000 groups and roles", MEMBERSHIPS, wildcard_of_all()?, "7", true),
        Kind { contrived: true, ..kind("10,000 speak of it, all give enough", MANY, nested(50, edit)?, &x(60), true) },
        Kind {
            contrived: true,
            ..kind("10,000 speak of it, none gives enough", MANY, nested(50, read)?, &x(60), false)
        },
        Kind {
            contrived: true,
            ..kind("the same, with a DENY for others in each", MANY - 2, nested(50, deny_of_others)?, &x(60), false)
        },
    ])
}

fn main() -> Result<(), Box<dyn Error>> {
    let ada =
        Principal { id: PrincipalId::new("u1")?, name: PrincipalName::new("ada")?, admin: false, via: Via::Session };
    let mut slow = Vec::new();
    for kind in kinds()? {
        let memberships = (0..kind.memberships)
            .map(|number| Ok(Membership { principal: ada.id.clone(), of: grantee(number)? }))
            .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
        let count = kind.grants.len();
        let building = Instant::now();
        let authorizer = Authorizer::new(kind.grants, memberships);
        let built = building.elapsed();
        let asked = ExperimentId::new(&*kind.asked)?;
        let here = WorkspaceName::default();
        let mut times = Vec::with_capacity(ROUNDS);
        let begun = Instant::now();
        while times.len() < ROUNDS && begun.elapsed() < LONGEST {
            let resource = asked.clone();
            let start = Instant::now();
            let decision = black_box(&authorizer).authorize(&here, black_box(&ada), Edit, resource);
            let took = start.elapsed();
            if decision.is_ok() != kind.allowed {
                return Err(format!("{}: the decision is wrong", kind.what).into());
            }
            times.push(took.as_secs_f64() * 1e6);
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        println!(
            "{:<46} median {:7.2} µs   99 of 100 within {:7.2} µs   ({count} grants read in {:.1} ms)",
            kind.what,
            at(0.5),
            at(0.99),
            built.as_secs_f64() * 1e3,
        );
        if at(0.5) > BOUND && !kind.contrived {
            slow.push(kind.what);
        }
    }
    if slow.is_empty() { Ok(()) } else { Err(format!("above {BOUND} µs: {}", slow.join(", ")).into()) }
}
