use super::wire::{Reader, Wire};
use super::{
    AnyValue, Attribute, Bounds, Counter, Event, ExportedSpan, OtlpError, StatusCode, id, parent, service_name,
};

/// Reads an `ExportTraceServiceRequest`.
///
/// # Errors
/// [`OtlpError`].
pub fn from_protobuf(bytes: &[u8], bounds: Bounds) -> Result<Vec<ExportedSpan>, OtlpError> {
    let mut counter = Counter::new(bounds);
    let mut spans = Vec::new();
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        if number == 1 {
            resource_spans(value.bytes()?, &mut counter, &mut spans)?;
        }
    }
    Ok(spans)
}

fn resource_spans(bytes: &[u8], counter: &mut Counter, spans: &mut Vec<ExportedSpan>) -> Result<(), OtlpError> {
    // The resource may stand behind its spans, so it is read first.
    let mut service = None;
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        if number == 1 {
            service = service_name(&attributes(value.bytes()?, 1, counter)?);
        }
    }
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        if number != 2 {
            continue;
        }
        let mut scope = Reader::new(value.bytes()?);
        while let Some((number, value)) = scope.field()? {
            if number == 2 {
                counter.span()?;
                spans.push(span(value.bytes()?, service.as_ref(), counter)?);
            }
        }
    }
    Ok(())
}

fn span(bytes: &[u8], service: Option<&String>, counter: &mut Counter) -> Result<ExportedSpan, OtlpError> {
    let (mut trace_id, mut span_id, mut parent_id): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let mut span = ExportedSpan {
        trace_id: [0; 16],
        span_id: [0; 8],
        parent: None,
        name: String::new(),
        start: 0,
        end: 0,
        status: StatusCode::Unset,
        status_message: String::new(),
        attributes: Vec::new(),
        events: Vec::new(),
        service: service.cloned(),
    };
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => trace_id = value.bytes()?,
            2 => span_id = value.bytes()?,
            4 => parent_id = value.bytes()?,
            5 => span.name = name(value, counter)?,
            7 => span.start = value.fixed64()?,
            8 => span.end = value.fixed64()?,
            9 => {
                counter.attribute(span.attributes.len() + 1)?;
                span.attributes.push(attribute(value.bytes()?, 1, counter)?);
            }
            11 => {
                counter.event(span.events.len() + 1)?;
                span.events.push(event(value.bytes()?, counter)?);
            }
            15 => {
                let mut status = Reader::new(value.bytes()?);
                while let Some((number, value)) = status.field()? {
                    match number {
                        2 => value.text()?.clone_into(&mut span.status_message),
                        3 => span.status = StatusCode::of(value.integer()?),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    span.trace_id = id(trace_id, "trace id")?;
    span.span_id = id(span_id, "span id")?;
    span.parent = parent(parent_id)?;
    Ok(span)
}

fn event(bytes: &[u8], counter: &mut Counter) -> Result<Event, OtlpError> {
    let mut event = Event { name: String::new(), time: 0, attributes: Vec::new() };
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => event.time = value.fixed64()?,
            2 => event.name = name(value, counter)?,
            3 => {
                counter.attribute(event.attributes.len() + 1)?;
                event.attributes.push(attribute(value.bytes()?, 1, counter)?);
            }
            _ => {}
        }
    }
    Ok(event)
}

/// The attributes of a message that has them as field 1, such as a resource or a list of pairs.
fn attributes(bytes: &[u8], depth: usize, counter: &mut Counter) -> Result<Vec<Attribute>, OtlpError> {
    let mut found = Vec::new();
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        if number == 1 {
            counter.attribute(found.len() + 1)?;
            found.push(attribute(value.bytes()?, depth, counter)?);
        }
    }
    Ok(found)
}

fn attribute(bytes: &[u8], depth: usize, counter: &mut Counter) -> Result<Attribute, OtlpError> {
    counter.value(depth)?;
    let mut found = Attribute { key: String::new(), value: AnyValue::None };
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => found.key = name(value, counter)?,
            2 => found.value = any_value(value.bytes()?, depth, counter)?,
            _ => {}
        }
    }
    Ok(found)
}

fn any_value(bytes: &[u8], depth: usize, counter: &mut Counter) -> Result<AnyValue, OtlpError> {
    counter.value(depth)?;
    let mut found = AnyValue::None;
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        found = match number {
            1 => AnyValue::Text(value.text()?.to_owned()),
            2 => AnyValue::Flag(value.integer()? != 0),
            3 => AnyValue::Integer(value.integer()?),
            4 => AnyValue::Double(f64::from_bits(value.fixed64()?)),
            5 => {
                let mut list = Vec::new();
                let mut items = Reader::new(value.bytes()?);
                while let Some((number, value)) = items.field()? {
                    if number == 1 {
                        list.push(any_value(value.bytes()?, depth + 1, counter)?);
                    }
                }
                AnyValue::List(list)
            }
            6 => AnyValue::Map(attributes(value.bytes()?, depth + 1, counter)?),
            7 => AnyValue::Bytes(value.bytes()?.to_vec()),
            _ => continue,
        };
    }
    Ok(found)
}

fn name(value: Wire<'_>, counter: &Counter) -> Result<String, OtlpError> {
    let text = value.text()?;
    counter.name(text)?;
    Ok(text.to_owned())
}
