//! What is sent: checks of the options that say what becomes of an event, and where it goes.

use super::super::documents::{Destination, Documents, Join, Script, Update};
use super::super::options::{ElasticsearchOptions, ScriptType, Shared, TemplateApi, VersionType};
use super::super::setup::{Lifecycle, Templates};
use crate::event::{FieldReference, Template};
use crate::plugin::OptionReader;

/// The index that the config names, or the default one.
pub fn index(shared: &Shared, reader: &OptionReader<'_>) -> Destination {
    let default = reader.ecs().select("logstash-%{+yyyy.MM.dd}", "ecs-logstash-%{+yyyy.MM.dd}");
    let name = shared.index.as_deref().unwrap_or(default);
    Destination::Index { name: Template::parse(name), open: name == default }
}

/// What is to be known of templates; `Some(None)` when none is installed.
pub fn templates(
    shared: &Shared,
    reader: &mut OptionReader<'_>,
    api: TemplateApi,
    streams: bool,
) -> Option<Option<Templates>> {
    // With data streams, templates are the cluster's business unless a person says otherwise.
    let wanted = !streams || reader.is_given("manage_template");
    if !shared.manage_template || !wanted {
        return Some(None);
    }
    let body = match &shared.template {
        None => None,
        Some(path) => {
            let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
            let parsed = read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
            match parsed {
                Ok(body) => Some(body),
                Err(why) => {
                    reader.error("template", format!("cannot read {}: {why}", path.display()));
                    return None;
                }
            }
        }
    };
    let default = reader.ecs().select("logstash", "ecs-logstash");
    Some(Some(Templates {
        api,
        name: shared.template_name.clone().unwrap_or_else(|| default.into()),
        name_is_given: shared.template_name.is_some(),
        body,
        ecs: reader.ecs().is_enabled(),
        overwrite: shared.template_overwrite,
        may_fail: false,
    }))
}

/// What the options say of index lifecycles.
pub fn lifecycle(options: &ElasticsearchOptions, reader: &OptionReader<'_>) -> Lifecycle {
    let default = reader.ecs().select("logstash", "ecs-logstash");
    let alias = options.ilm_rollover_alias.clone().unwrap_or_else(|| default.into());
    let open = matches!(index(&options.shared, reader), Destination::Index { open: true, .. });
    Lifecycle {
        enabled: options.ilm_enabled,
        is_asked_for: open || alias != default,
        alias,
        pattern: options.ilm_pattern.clone(),
        policy: options.ilm_policy.clone(),
    }
}

/// How the two plugins treat events differently.
#[derive(Clone, Copy)]
pub struct Flavour {
    /// Whether an index's name that still holds `%{...}` is an error.
    pub refuse_placeholders: bool,
    /// Whether events choose what the config leaves open.
    pub control: bool,
}

/// How events become documents. The checks are those of `http_client_builder.rb`.
pub fn documents(shared: &Shared, flavour: Flavour, reader: &mut OptionReader<'_>) -> Option<Documents> {
    let fine = check_action(shared, reader) & check_versions(shared, reader) & check_updates(shared, reader);
    let join = match (&shared.parent, &shared.join_field) {
        (Some(parent), Some(field)) => Some(Join { parent: parent.clone(), field: field.clone() }),
        (Some(_), None) => {
            reader.error(
                "parent",
                "servers since version 6 know parents by a join field only: give join_field",
            );
            return None;
        }
        (None, Some(_)) => {
            reader.no_effect("join_field", "it needs parent");
            None
        }
        (None, None) => None,
    };
    let script = (!shared.script.is_empty()).then(|| Script {
        text: Template::parse(&shared.script),
        kind: shared.script_type,
        language: shared.script_lang.clone(),
        variable: shared.script_var_name.clone(),
    });
    let metadata = |name: &str| FieldReference::parse(&format!("[@metadata][{name}]")).ok();
    fine.then(|| Documents {
        action: shared.action.clone(),
        document_type: shared.document_type.clone(),
        id: shared.document_id.clone(),
        routing: shared.routing.clone(),
        join,
        pipeline: shared.pipeline.clone(),
        version: shared.version.clone(),
        version_type: shared.version_type.map(VersionType::word),
        update: Update {
            script,
            upsert: (!shared.upsert.is_empty()).then(|| Template::parse(&shared.upsert)),
            doc_as_upsert: shared.doc_as_upsert,
            scripted_upsert: shared.scripted_upsert,
            retry_on_conflict: shared.retry_on_conflict,
        },
        refuse_placeholders: flavour.refuse_placeholders,
        control: metadata("_ingest_document").filter(|_| flavour.control),
        target_pipeline: metadata("target_ingest_pipeline").filter(|_| flavour.control),
    })
}

fn check_action(shared: &Shared, reader: &mut OptionReader<'_>) -> bool {
    let Some(action) = shared.action.as_ref().and_then(Template::as_literal) else { return true };
    if matches!(action, "index" | "create" | "update" | "delete") {
        return true;
    }
    reader.error("action", format!("\"{action}\" is not one of index, create, update, delete"));
    false
}

fn check_versions(shared: &Shared, reader: &mut OptionReader<'_>) -> bool {
    if !shared.version_type.is_some_and(VersionType::is_external) {
        return true;
    }
    let why = match shared.action.as_ref().map(Template::source) {
        _ if shared.version.is_none() => "an external version needs the option version",
        Some("create") => "the action create takes no external versions",
        Some("update") => "the action update takes no external versions",
        _ => return true,
    };
    reader.error("version_type", why);
    false
}

fn check_updates(shared: &Shared, reader: &mut OptionReader<'_>) -> bool {
    let mut fine = true;
    if shared.doc_as_upsert && shared.scripted_upsert {
        reader.error("scripted_upsert", "it excludes doc_as_upsert");
        fine = false;
    }
    let is_update = shared.action.as_ref().is_some_and(|action| action.source() == "update");
    if is_update && shared.document_id.as_ref().is_none_or(|id| id.source().is_empty()) {
        reader.error("action", "update needs a document_id");
        fine = false;
    }
    if shared.script_type == ScriptType::File && !shared.script.is_empty() {
        let why = "servers since version 6 have no scripts in files: store it in the cluster and use indexed";
        reader.error("script_type", why);
        fine = false;
    }
    fine
}

/// Codes that mean something else cannot be codes of failure (`check_dlq_custom_codes`).
pub fn check_custom_codes(codes: &[u16], reader: &mut OptionReader<'_>) {
    for code in codes {
        let why = match code {
            400 | 404 => "documents with this status are given up anyway",
            200 | 201 => "this status means success",
            409 => "this status means a conflict, with which documents are never sent again",
            _ => continue,
        };
        reader.error("dlq_custom_codes", format!("{code}: {why}"));
    }
}
