use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::image::Image;
use sealyard_formats::sniff::Format;
use sealyard_scan::FactKind;
use serde_json::json;

use crate::context::Context;

/// An image. Nothing in it is ever run; what follows its end is looked at as a file of its own.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let format = context.format();
    match Image::walk(data, format) {
        Ok(image) => {
            if let Some((width, height)) = image.size {
                context.fact(FactKind::Property, "pixels", json!([width, height]));
            }
            if image.end < data.size() {
                let tail = Section::new(data, image.end..data.size());
                context.nest("behind the image", &tail);
            }
        }
        Err(error) => context.miss(format!("the image can't be read: {error}")),
    }
    match format {
        Format::Png => "png",
        Format::Jpeg => "jpeg",
        Format::Webp => "webp",
        _ => "gif",
    }
}
