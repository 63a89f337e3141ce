//! Values with a form of their own, still as text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident $(, pattern $pattern:literal)?;)*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).strip_suffix("Text").unwrap_or(stringify!($name)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": concat!($($doc),+).trim(),
                    $("pattern": $pattern,)?
                })
            }
        }
    )*};
}

texts! {
    /// A length of time in whole units, the largest first: `10m`, `1h30m`, `7d` (a day is 24 hours).
    DurationText, pattern "^(0|(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?)$";
    /// A percentage with its sign and at most one decimal: `75%`, `99.5%`.
    PercentText, pattern "^[0-9]{1,4}(\\.[0-9])?%$";
    /// Five fields as in a CronJob (minute, hour, day of month, month, day of week), or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    ScheduleText;
    /// An IANA time zone such as `Europe/Stockholm`.
    ZoneText;
    /// A name as Kubernetes takes it: lower-case letters, digits, `-` and `.`.
    NameText, pattern "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$";
    /// A name, or a pattern in which `*` stands for any characters: `eu-*`.
    PatternText, pattern "^[a-z0-9.*-]+$";
    /// A path from the repository's root, with `/` between its parts and none at either end.
    RepoPathText;
    /// A file or folder on this machine, relative to the folder of the fleet file.
    FileText;
    /// A Git branch.
    BranchText;
    /// A path from the repository's root in which `{region}`, `{managementCluster}` and so on stand for names.
    PathTemplateText;
    /// A name in which `{cluster}`, `{nodeGroup}` and so on stand for names.
    TemplateText;
    /// A JSON pointer (RFC 6901): `/spec/replicas`.
    PointerText, pattern "^(/[^/]*)+$";
}
