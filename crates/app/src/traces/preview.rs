//! What a list of traces shows of a request and its answer.

use serde_json::Value;

/// Characters of a preview.
const LENGTH: usize = 1000;

/// The last message of `role`, where the JSON is a chat; otherwise the JSON itself; cut to what a list shows.
pub(super) fn preview(json: &str, role: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(json).ok();
    let content = parsed.as_ref().and_then(messages).and_then(|messages| last_text(messages, role));
    let text = content.unwrap_or_else(|| json.to_owned());
    if text.chars().count() <= LENGTH {
        return text;
    }
    let mut cut: String = text.chars().take(LENGTH - 3).collect();
    cut.push_str("...");
    cut
}

fn messages(value: &Value) -> Option<Vec<&Value>> {
    if let Some(messages) = value.get("messages").and_then(Value::as_array) {
        return Some(messages.iter().collect());
    }
    if let Some(choices) = value.get("choices").and_then(Value::as_array) {
        return Some(choices.iter().filter_map(|choice| choice.get("message")).collect());
    }
    for key in ["input", "output"] {
        if let Some(items) = value.get(key).and_then(Value::as_array)
            && items.iter().all(|item| item.get("role").is_some())
        {
            return Some(items.iter().collect());
        }
    }
    value.get("request").and_then(messages)
}

fn last_text(messages: Vec<&Value>, role: &str) -> Option<String> {
    let of_role = messages.iter().rev().find(|message| message.get("role").and_then(Value::as_str) == Some(role));
    let message = of_role.or_else(|| messages.last())?;
    match message.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let part = parts.iter().find_map(|part| part.get("text").and_then(Value::as_str));
            part.map(str::to_owned)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_show_their_last_message() {
        let chat = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [{"text": "b"}]}]}"#;
        assert_eq!(preview(chat, "user"), "b");
        assert_eq!(preview(r#"{"choices": [{"message": {"role": "assistant", "content": "c"}}]}"#, "assistant"), "c");
        assert_eq!(preview(r#"{"x": 1}"#, "user"), r#"{"x": 1}"#);
        let long = format!("\"{}\"", "é".repeat(2000));
        assert_eq!(preview(&long, "user").chars().count(), LENGTH);
        assert!(preview(&long, "user").ends_with("..."));
    }
}
