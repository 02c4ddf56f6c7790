use sealyard_app::{AccountRules, SecondFactorRule};
use serde::Deserialize;

use super::IdentitySettings;
use crate::settings::SettingsError;

/// `[identity.password]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordSettings {
    /// The fewest characters; never fewer than twelve.
    pub minimum_length: Option<usize>,
    /// Wrong ones, from wherever, after which an account is only let in from where it was before.
    pub lockout_failures: Option<u32>,
    /// For so long after the last of them.
    pub lockout_minutes: Option<u32>,
    /// Who must have a second factor beside it.
    pub second_factor: Option<SecondFactorSetting>,
}

/// Who must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondFactorSetting {
    /// Whoever wants one.
    Wanted,
    /// Administrators.
    Administrators,
}

/// `[identity.session]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// A browser's session that nobody uses ends after so long.
    pub idle_minutes: Option<u32>,
    /// Every session ends after so long.
    pub longest_hours: Option<u32>,
    /// Tokens must end, and after so long at the latest.
    pub longest_token_days: Option<u32>,
}

impl IdentitySettings {
    /// The rules that these settings make of the usual ones.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] for what would let nobody in, or everybody for ever.
    pub fn account_rules(&self) -> Result<AccountRules, SettingsError> {
        let usual = AccountRules::default();
        let Self { password, session, .. } = self;
        let seconds = |of: Option<u32>, factor: i64, usual: i64| of.map_or(usual, |number| i64::from(number) * factor);
        let rules = AccountRules {
            idle_seconds: seconds(session.idle_minutes, 60, usual.idle_seconds),
            longest_seconds: seconds(session.longest_hours, 3600, usual.longest_seconds),
            shortest_password: password.minimum_length.unwrap_or(usual.shortest_password),
            lockout_failures: password.lockout_failures.unwrap_or(usual.lockout_failures),
            lockout_seconds: seconds(password.lockout_minutes, 60, usual.lockout_seconds),
            second_factor: match password.second_factor {
                None | Some(SecondFactorSetting::Wanted) => SecondFactorRule::Wanted,
                Some(SecondFactorSetting::Administrators) => SecondFactorRule::Administrators,
            },
            longest_token_seconds: session.longest_token_days.map(|days| i64::from(days) * 86_400),
        };
        let wrong = |section: &str, problem: &str| Err(SettingsError::invalid(section, problem));
        if !(12..=128).contains(&rules.shortest_password) {
            return wrong("identity.password", "minimum_length is 12 to 128");
        }
        if !(5..=1000).contains(&rules.lockout_failures) || !(60..=86_400).contains(&rules.lockout_seconds) {
            return wrong("identity.password", "lockout_failures is 5 to 1000, lockout_minutes 1 to 1440");
        }
        if !(60..=2_592_000).contains(&rules.idle_seconds) || !(3600..=2_592_000).contains(&rules.longest_seconds) {
            return wrong("identity.session", "idle_minutes is 1 to 43200, longest_hours 1 to 720");
        }
        if rules.longest_token_seconds.is_some_and(|longest| !(86_400..=3650 * 86_400).contains(&longest)) {
            return wrong("identity.session", "longest_token_days is 1 to 3650");
        }
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::Settings;

    fn rules(text: &str) -> Result<AccountRules, SettingsError> {
        Settings::parse(text, Path::new("/")).unwrap().identity.account_rules()
    }

    #[test]
    fn what_is_said_changes_the_usual_rules() {
        assert_eq!(rules("").unwrap(), AccountRules::default());
        let text = "[identity.password]\nminimum_length = 16\nsecond_factor = \"administrators\"\nlockout_minutes = 30\n\
                    [identity.session]\nidle_minutes = 10\nlongest_hours = 8\nlongest_token_days = 90\n";
        let rules = rules(text).unwrap();
        assert_eq!((rules.shortest_password, rules.second_factor), (16, SecondFactorRule::Administrators));
        assert_eq!((rules.idle_seconds, rules.longest_seconds, rules.lockout_seconds), (600, 28_800, 1800));
        assert_eq!(rules.longest_token_seconds, Some(7_776_000));
    }

    #[test]
    fn what_would_weaken_or_lock_out_is_refused() {
        for text in [
            "[identity.password]\nminimum_length = 8\n",
            "[identity.password]\nlockout_failures = 1\n",
            "[identity.password]\nlockout_minutes = 0\n",
            "[identity.session]\nidle_minutes = 0\n",
            "[identity.session]\nlongest_hours = 9999\n",
            "[identity.session]\nlongest_token_days = 0\n",
        ] {
            assert!(rules(text).is_err(), "{text}");
        }
        assert!(Settings::parse("[identity.password]\nhistory = 3\n", Path::new("/")).is_err());
    }
}
