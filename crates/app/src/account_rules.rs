//! What a server asks of its own accounts, as the settings say.

/// Who must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondFactorRule {
    /// Whoever wants one.
    #[default]
    Wanted,
    /// Administrators: one without is no administrator when it shows a password or a browser's session.
    Administrators,
}

/// What is asked of passwords, sessions and tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRules {
    /// A browser's session that nobody uses ends after so long.
    pub idle_seconds: i64,
    /// Every session ends after so long.
    pub longest_seconds: i64,
    /// The fewest characters of a password; never fewer than twelve.
    pub shortest_password: usize,
    /// Wrong passwords, from wherever, after which an account is only let in from where it was let in before.
    pub lockout_failures: u32,
    /// For so long after the last of them.
    pub lockout_seconds: i64,
    /// Who must have a second factor.
    pub second_factor: SecondFactorRule,
    /// Tokens must end, and after so long at the latest.
    pub longest_token_seconds: Option<i64>,
}

impl Default for AccountRules {
    fn default() -> Self {
        Self {
            idle_seconds: 2 * 60 * 60,
            longest_seconds: 12 * 60 * 60,
            shortest_password: 12,
            lockout_failures: 20,
            lockout_seconds: 15 * 60,
            second_factor: SecondFactorRule::Wanted,
            longest_token_seconds: None,
        }
    }
}
