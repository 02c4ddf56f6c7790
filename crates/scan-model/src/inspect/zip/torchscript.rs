use sealyard_formats::zip::Member;

use super::Flavor;
use super::flavor::below;
use crate::context::Context;

/// What `torch.jit.save` writes: a program beside the weights.
pub(super) static FLAVOR: Flavor = Flavor { member, ..Flavor::named("torchscript", is) };

fn is(members: &[Member]) -> bool {
    let has = |test: &dyn Fn(&str) -> bool| members.iter().any(|member| below(member).is_some_and(test));
    has(&|rest| rest == "data.pkl") && has(&is_program)
}

fn is_program(rest: &str) -> bool {
    rest.starts_with("code/") || rest == "constants.pkl"
}

fn member(member: &Member, _: &[u8], context: &mut Context) -> bool {
    let is_program = below(member).is_some_and(is_program);
    if is_program {
        context.miss("TorchScript is not supported");
    }
    is_program
}
