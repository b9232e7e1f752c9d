//! What is done once, after the first server has answered: template, lifecycle policy, rollover alias
//! (`template_manager.rb`, `ilm.rb`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::answer;
use super::cluster::Cluster;
use super::documents::Destination;
use super::options::{Automatic, TemplateApi};
use super::server::Server;
use super::templates::{self, Form};
use crate::event::Template;

/// What need not be escaped in one part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The policy that is made where it does not exist.
const DEFAULT_POLICY: &str = "logstash-policy";

/// What the options say of templates.
#[derive(Debug, Clone)]
pub struct Templates {
    pub api: TemplateApi,
    /// The name; with a rollover alias, that alias unless the config gives a name.
    pub name: String,
    pub name_is_given: bool,
    /// The template of a file.
    pub body: Option<Value>,
    pub ecs: bool,
    pub overwrite: bool,
    /// Whether events are delivered even where the server refuses the template (logstash-output-opensearch).
    pub may_fail: bool,
}

/// What the options say of index lifecycles.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    pub enabled: Automatic,
    pub alias: String,
    pub pattern: String,
    pub policy: String,
    /// Whether `index` or the alias ask for it: the index is left open, or the alias is not.
    pub is_asked_for: bool,
}

/// Everything to do at first.
#[derive(Debug, Clone)]
pub struct Setup {
    pub destination: Destination,
    /// `None`: no template is installed.
    pub templates: Option<Templates>,
    /// `None`: lifecycles are not for this config.
    pub lifecycle: Option<Lifecycle>,
}

impl Setup {
    /// Prepares the cluster and tells where documents go.
    ///
    /// # Errors
    /// What is missing; nothing is delivered until it succeeds.
    pub async fn run(&self, cluster: &Cluster, server: &Server) -> Result<Destination, String> {
        if matches!(self.destination, Destination::Stream(_)) && !server.has_data_streams() {
            return Err(format!(
                "{server} has no data streams: set data_stream => false, or update the server"
            ));
        }
        let lifecycle = match &self.lifecycle {
            Some(lifecycle) if lifecycle.is_in_use(server)? => Some(lifecycle),
            _ => None,
        };
        if let Some(templates) = &self.templates {
            let installed = templates.install(cluster, server, lifecycle).await;
            match installed {
                Err(Failure::Refused(reason)) if templates.may_fail => {
                    tracing::error!(%reason, "the index template could not be installed");
                }
                other => other?,
            }
        }
        let Some(lifecycle) = lifecycle else { return Ok(self.destination.clone()) };
        lifecycle.ensure_alias(cluster).await?;
        lifecycle.ensure_policy(cluster).await?;
        if let Destination::Index { name, open: false } = &self.destination {
            tracing::warn!(index = name.source(), alias = %lifecycle.alias, "documents go to the rollover alias, not to the index");
        }
        Ok(Destination::Index { name: Template::parse(&lifecycle.alias), open: false })
    }
}

/// Why the cluster is not prepared.
enum Failure {
    /// A server was reached and said no.
    Refused(String),
    Unreachable(String),
}

impl From<Failure> for String {
    fn from(failure: Failure) -> String {
        match failure {
            Failure::Refused(reason) | Failure::Unreachable(reason) => reason,
        }
    }
}

/// Whether something exists.
async fn exists(cluster: &Cluster, method: Method, path: &str) -> Result<bool, Failure> {
    let answer = cluster.call(method, path, None).await.map_err(Failure::Unreachable)?;
    match answer.status {
        200..=299 => Ok(true),
        404 => Ok(false),
        status => Err(Failure::Refused(format!("{status} for {path}: {}", answer::refusal(&answer.body)))),
    }
}

/// Makes something; the statuses of `fine` are as good as success.
async fn put(cluster: &Cluster, path: &str, body: &Value, fine: u16) -> Result<bool, Failure> {
    let body = body.to_string();
    let answer =
        cluster.call(Method::PUT, path, Some(body.as_bytes())).await.map_err(Failure::Unreachable)?;
    if answer.is_success() {
        return Ok(true);
    }
    if answer.status == fine {
        return Ok(false);
    }
    Err(Failure::Refused(format!("{} for PUT {path}: {}", answer.status, answer::refusal(&answer.body))))
}

fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

impl Templates {
    fn form(&self, server: &Server) -> Form {
        match self.api {
            _ if server.is_serverless() => Form::Composable,
            TemplateApi::Composable => Form::Composable,
            TemplateApi::Legacy => Form::Legacy,
            TemplateApi::Auto if server.prefers_composable() => Form::Composable,
            TemplateApi::Auto => Form::Legacy,
        }
    }

    async fn install(
        &self,
        cluster: &Cluster,
        server: &Server,
        lifecycle: Option<&Lifecycle>,
    ) -> Result<(), Failure> {
        if self.api == TemplateApi::Legacy && server.is_serverless() {
            let reason = "a serverless cluster has no legacy templates: remove template_api => legacy";
            return Err(Failure::Refused(reason.into()));
        }
        let form = self.form(server);
        let mut body = self.body.clone().unwrap_or_else(|| templates::built_in(self.ecs, form));
        let mut name = &self.name;
        if let Some(lifecycle) = lifecycle {
            templates::add_lifecycle(&mut body, form, &lifecycle.alias, &lifecycle.policy);
            if !self.name_is_given {
                name = &lifecycle.alias;
            }
        }
        if server.is_serverless() {
            templates::strip_for_serverless(&mut body);
        }
        let path = format!("{}/{}", form.endpoint(), part(name));
        if !self.overwrite && exists(cluster, Method::HEAD, &path).await? {
            tracing::debug!(name, "the index template is there already");
            return Ok(());
        }
        if put(cluster, &path, &body, 404).await? {
            tracing::info!(name, "index template installed");
        }
        Ok(())
    }
}

impl Lifecycle {
    fn is_in_use(&self, server: &Server) -> Result<bool, String> {
        match self.enabled {
            Automatic::True if !server.has_lifecycles() => {
                Err(format!("{server} has no index lifecycle management: set ilm_enabled => false"))
            }
            Automatic::True | Automatic::Auto => Ok(self.is_asked_for && server.has_lifecycles()),
            Automatic::False => Ok(false),
        }
    }

    async fn ensure_alias(&self, cluster: &Cluster) -> Result<(), Failure> {
        if exists(cluster, Method::HEAD, &format!("/{}", part(&self.alias))).await? {
            return Ok(());
        }
        let first = part(&format!("<{}-{}>", self.alias, self.pattern));
        let body = json!({ "aliases": { &self.alias: { "is_write_index": true } } });
        // 400: somebody else was faster.
        if put(cluster, &format!("/{first}"), &body, 400).await? {
            tracing::info!(alias = %self.alias, "rollover alias made");
        }
        Ok(())
    }

    async fn ensure_policy(&self, cluster: &Cluster) -> Result<(), Failure> {
        let path = format!("/_ilm/policy/{}", part(&self.policy));
        if exists(cluster, Method::GET, &path).await? {
            return Ok(());
        }
        if self.policy != DEFAULT_POLICY {
            let reason =
                format!("the policy \"{}\" of ilm_policy does not exist in the cluster", self.policy);
            return Err(Failure::Refused(reason));
        }
        let rollover = json!({ "max_size": "50gb", "max_age": "30d" });
        let body = json!({ "policy": { "phases": { "hot": { "actions": { "rollover": rollover } } } } });
        put(cluster, &path, &body, 0).await?;
        tracing::info!(policy = %self.policy, "lifecycle policy made");
        Ok(())
    }
}
