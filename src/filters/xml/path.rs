//! XPath as Nokogiri evaluates it in JRuby: which names mean which nodes, and what results look like as text.
//!
//! The crate's evaluator matches a name without a prefix by the local name alone; XPath wants elements without a
//! namespace. Expressions are rewritten for that when they are compiled.

use xmloxide::tree::NodeKind;
use xmloxide::xpath::ast::{Axis, BinaryOp, Expr, NodeTest, Step};
use xmloxide::xpath::{XPathContext, XPathNode, XPathValue, parser};
use xmloxide::{Document, NodeId};

use crate::event::Value;
use crate::event::text::ruby_to_s;

use super::write::{self, Style};

/// An expression that cannot be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PathError {
    #[error("\"{0}\": {1}")]
    Syntax(String, String),
    #[error("\"{0}\": the prefix \"{1}\" is not declared")]
    Prefix(String, String),
    #[error("\"{0}\": {1}")]
    Evaluation(String, String),
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Path {
    text: String,
    compiled: Result<Compiled, PathError>,
}

#[derive(Debug)]
struct Compiled {
    /// For documents without namespaces: names are compared as they are.
    plain: Expr,
    /// For documents with namespaces.
    namespaced: Expr,
    /// For documents whose namespaces were removed.
    stripped: Expr,
    prefixes: Vec<String>,
}

/// Prefixes that Nokogiri always knows in JRuby (`NokogiriNamespaceContext.java`).
const KNOWN_PREFIXES: [(&str, &str); 2] =
    [("xml", "http://www.w3.org/XML/1998/namespace"), ("xhtml", "http://www.w3.org/1999/xhtml")];

/// What prefixes mean in one document.
pub(super) struct Scope {
    prefixes: Vec<(String, String)>,
    names: Names,
}

/// How names are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Plain,
    Namespaced,
    Stripped,
}

impl Scope {
    /// Takes the prefixes given by the config, or else those that the root element declares.
    pub fn new(document: &Document, given: Option<&[(String, String)]>, remove_namespaces: bool) -> Self {
        let declared = || match document.root_element() {
            Some(root) if !remove_namespaces => declarations(document, root),
            _ => Vec::new(),
        };
        let mut prefixes = given.map_or_else(declared, <[_]>::to_vec);
        for (prefix, namespace) in KNOWN_PREFIXES {
            if !prefixes.iter().any(|(known, _)| known == prefix) {
                prefixes.push((prefix.to_owned(), namespace.to_owned()));
            }
        }
        let names = match remove_namespaces {
            true => Names::Stripped,
            false if has_namespaces(document) => Names::Namespaced,
            false => Names::Plain,
        };
        Scope { prefixes, names }
    }
}

/// The prefixes that an element declares; the default namespace goes by the prefix `xmlns`.
fn declarations(document: &Document, element: NodeId) -> Vec<(String, String)> {
    let attributes = document.attributes(element).iter();
    attributes
        .filter(|attribute| write::is_declaration(attribute))
        .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
        .collect()
}

fn has_namespaces(document: &Document) -> bool {
    document.descendants(document.root()).any(|node| match &document.node(node).kind {
        NodeKind::Element { namespace, attributes, .. } => {
            namespace.is_some() || attributes.iter().any(|attribute| attribute.prefix.is_some())
        }
        _ => false,
    })
}

impl Path {
    pub fn compile(text: &str) -> Self {
        let compiled = parser::parse(text).map_err(|error| PathError::Syntax(text.into(), error.to_string()));
        let compiled = compiled.map(|parsed| {
            let mut prefixes = Vec::new();
            let rewrite = |names: Names, prefixes: &mut Vec<String>| {
                Rewriter { names, prefixes }.expression(parsed.clone())
            };
            Compiled {
                plain: rewrite(Names::Plain, &mut prefixes),
                namespaced: rewrite(Names::Namespaced, &mut Vec::new()),
                stripped: rewrite(Names::Stripped, &mut Vec::new()),
                prefixes,
            }
        });
        Path { text: text.to_owned(), compiled }
    }

    pub fn syntax_error(&self) -> Option<&PathError> {
        self.compiled.as_ref().err()
    }

    /// The results as text: nodes in document order, or the single value of an expression that is no set of nodes.
    /// `false` is no result.
    pub fn evaluate(
        &self,
        document: &Document,
        scope: &Scope,
        merge_cdata: bool,
    ) -> Result<Vec<String>, PathError> {
        let compiled = self.compiled.as_ref().map_err(PathError::clone)?;
        let unknown = |prefix: &&String| !scope.prefixes.iter().any(|(known, _)| known == *prefix);
        if let Some(prefix) = compiled.prefixes.iter().find(unknown) {
            return Err(PathError::Prefix(self.text.clone(), prefix.clone()));
        }
        let mut context = XPathContext::new(document, document.root());
        let expression = match scope.names {
            Names::Plain => &compiled.plain,
            Names::Namespaced => &compiled.namespaced,
            Names::Stripped => &compiled.stripped,
        };
        if !compiled.prefixes.is_empty() && scope.names == Names::Namespaced {
            for (prefix, namespace) in &scope.prefixes {
                context.set_namespace(prefix, namespace);
            }
        }
        let value = context
            .evaluate(expression)
            .map_err(|error| PathError::Evaluation(self.text.clone(), error.to_string()))?;
        let style = Style { without_namespaces: scope.names == Names::Stripped, merge_cdata };
        Ok(match value {
            XPathValue::Boolean(false) => Vec::new(),
            XPathValue::Boolean(true) => vec!["true".into()],
            XPathValue::Number(number) => vec![ruby_to_s(&Value::Float(number))],
            XPathValue::String(text) => vec![text],
            XPathValue::NodeSet(nodes) => nodes_as_text(document, nodes, style),
        })
    }
}

fn nodes_as_text(document: &Document, mut nodes: Vec<XPathNode>, style: Style) -> Vec<String> {
    nodes.sort_unstable();
    let mut results = Vec::with_capacity(nodes.len());
    // Attributes of one element, by name.
    let mut attributes: Vec<(NodeId, String, &str)> = Vec::new();
    for node in nodes {
        match node {
            XPathNode::Attribute { owner, index } => {
                if attributes.last().is_some_and(|(last, ..)| *last != owner) {
                    flush(&mut attributes, &mut results);
                }
                if let Some(attribute) = document.attributes(owner).get(index as usize) {
                    attributes.push((owner, write::qualified_name(attribute, style), &attribute.value));
                }
            }
            XPathNode::Node(node) => {
                flush(&mut attributes, &mut results);
                if !continues_text(document, node) {
                    results.push(write::write(document, node, style));
                }
            }
        }
    }
    flush(&mut attributes, &mut results);
    results
}

fn flush(attributes: &mut Vec<(NodeId, String, &str)>, results: &mut Vec<String>) {
    attributes.sort_by(|(_, left, _), (_, right, _)| left.cmp(right));
    results.extend(attributes.drain(..).map(|(_, _, value)| value.to_owned()));
}

/// Whether a node is text right behind other text: for XPath they are one node, which stands for its first part.
fn continues_text(document: &Document, node: NodeId) -> bool {
    let is_text = |node| matches!(document.node(node).kind, NodeKind::Text { .. } | NodeKind::CData { .. });
    is_text(node) && document.prev_sibling(node).is_some_and(is_text)
}

/// Makes an expression mean what XPath says it means.
struct Rewriter<'p> {
    names: Names,
    /// Collects the prefixes in use.
    prefixes: &'p mut Vec<String>,
}

impl Rewriter<'_> {
    fn expression(&mut self, expression: Expr) -> Expr {
        match expression {
            Expr::Number(_) | Expr::String(_) | Expr::Variable(_) => expression,
            Expr::BinaryOp { op, left, right } => {
                Expr::BinaryOp { op, left: self.boxed(left), right: self.boxed(right) }
            }
            Expr::UnaryNeg(inner) => Expr::UnaryNeg(self.boxed(inner)),
            Expr::FunctionCall { name, args } => self.call(name, args),
            Expr::Path { steps } => Expr::Path { steps: self.steps(steps) },
            Expr::RootPath { steps } => Expr::RootPath { steps: self.steps(steps) },
            Expr::Filter { expr, predicates } => {
                Expr::Filter { expr: self.boxed(expr), predicates: self.all(predicates) }
            }
            Expr::FilterPath { expr, steps } => {
                Expr::FilterPath { expr: self.boxed(expr), steps: self.steps(steps) }
            }
            Expr::Union(left, right) => Expr::Union(self.boxed(left), self.boxed(right)),
        }
    }

    #[expect(clippy::boxed_local, reason = "the tree holds its branches in boxes")]
    fn boxed(&mut self, expression: Box<Expr>) -> Box<Expr> {
        Box::new(self.expression(*expression))
    }

    fn all(&mut self, expressions: Vec<Expr>) -> Vec<Expr> {
        expressions.into_iter().map(|expression| self.expression(expression)).collect()
    }

    fn call(&mut self, name: String, args: Vec<Expr>) -> Expr {
        let name = match (self.names, name.as_str()) {
            (Names::Stripped, "name") => "local-name".to_owned(),
            (Names::Stripped, "namespace-uri") => return Expr::String(String::new()),
            _ => name,
        };
        Expr::FunctionCall { name, args: self.all(args) }
    }

    fn steps(&mut self, steps: Vec<Step>) -> Vec<Step> {
        let mut rewritten: Vec<Step> = Vec::with_capacity(steps.len());
        for step in steps {
            // `//x[1]` is the first x of every parent. The evaluator would take the two steps together and count
            // the descendants of the whole document; a step in between that changes nothing keeps them apart.
            if step.axis == Axis::Child
                && !step.predicates.is_empty()
                && rewritten.last().is_some_and(|last| last.axis == Axis::DescendantOrSelf)
            {
                rewritten.push(Step { axis: Axis::Self_, node_test: NodeTest::Node, predicates: Vec::new() });
            }
            rewritten.push(self.step(step));
        }
        rewritten
    }

    fn step(&mut self, step: Step) -> Step {
        let mut predicates = self.all(step.predicates);
        let prefix = match &step.node_test {
            NodeTest::Name(name) => name.split_once(':').map(|(prefix, _)| prefix),
            NodeTest::PrefixWildcard(prefix) => Some(prefix.as_str()),
            _ => None,
        };
        let is_name = matches!(step.node_test, NodeTest::Name(_));
        let condition = match (self.names, prefix) {
            (Names::Namespaced, None) if is_name && step.axis != Axis::Namespace => Some(no_namespace()),
            // Nothing has a namespace, so nothing can be in one.
            (Names::Plain | Names::Stripped, Some(prefix)) if prefix != "xml" => {
                Some(Expr::FunctionCall { name: "false".into(), args: Vec::new() })
            }
            _ => None,
        };
        if let Some(prefix) = prefix
            && !self.prefixes.iter().any(|known| known == prefix)
        {
            self.prefixes.push(prefix.to_owned());
        }
        if let Some(condition) = condition {
            predicates.insert(0, condition);
        }
        Step { axis: step.axis, node_test: step.node_test, predicates }
    }
}

/// `namespace-uri() = ""`
fn no_namespace() -> Expr {
    Expr::BinaryOp {
        op: BinaryOp::Eq,
        left: Box::new(Expr::FunctionCall { name: "namespace-uri".into(), args: Vec::new() }),
        right: Box::new(Expr::String(String::new())),
    }
}
