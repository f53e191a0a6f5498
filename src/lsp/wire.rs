//! What is found, in the protocol's terms.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use tower_lsp_server::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CompletionItem, CompletionItemKind, CompletionList, CompletionResponse,
    CompletionTextEdit, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DocumentSymbol, Documentation, Hover, HoverContents,
    InlayHint, InlayHintLabel, InlayHintTooltip, Location, MarkupContent, MarkupKind, NumberOrString, Range, SymbolKind, TextEdit, Uri,
    WorkspaceEdit,
};

use leoctl_core::stack::diagnostic::{self, Severity, Span};

use super::actions::Action;
use super::analysis::{Analysis, InFile};
use super::complete::{Offer, Sort};
use super::hints::Hint;
use super::hover;
use super::position::Places;
use super::rename::Edit;
use super::symbols::{Declared, Kind};

/// Something that is wrong in a file.
pub type Said = Diagnostic;

/// What is to be said now of a file.
#[derive(Debug)]
pub struct Published {
    /// The file.
    pub uri: Uri,
    /// All that is wrong in it.
    pub diagnostics: Vec<Diagnostic>,
    /// The version of its text, where it is open.
    pub version: Option<i32>,
}

impl Published {
    /// What is to be said of the file with a path.
    pub fn new(path: &Path, diagnostics: Vec<Said>, version: Option<i32>) -> Option<Self> {
        Some(Self { uri: Uri::from_file_path(path)?, diagnostics, version })
    }
}

/// How many mistakes are said of a file: nobody reads more, and editors slow down with them.
const MOST: usize = 1000;

/// What is wrong, by file; the root is there even when nothing is. Of a file with very many mistakes the first are said, and
/// that there are more.
pub fn said(analysis: &Analysis) -> BTreeMap<PathBuf, Vec<Said>> {
    let mut said: BTreeMap<PathBuf, Vec<Said>> = BTreeMap::new();
    let mut more: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let places: Vec<OnceCell<Places<'_>>> = analysis.texts.iter().map(|_| OnceCell::new()).collect();
    said.entry(analysis.root.clone()).or_default();
    for wrong in &analysis.diagnostics.0 {
        // What is of no place in particular is said of the root.
        let place = wrong.span.as_ref().and_then(|span| {
            let ((path, text), places) = analysis.texts.get(span.file).zip(places.get(span.file))?;
            Some((path, places.get_or_init(|| Places::of(text)), &span.range))
        });
        let path = place.as_ref().map_or(&analysis.root, |(path, ..)| *path);
        let of_file = said.entry(path.clone()).or_default();
        if of_file.len() >= MOST {
            *more.entry(path.clone()).or_default() += 1;
            continue;
        }
        let range = place.map(|(_, places, range)| places.lines(range)).unwrap_or_default();
        of_file.push(Diagnostic {
            code: Some(NumberOrString::String(wrong.code.as_str().to_owned())),
            related_information: wrong.also.as_ref().and_then(|also| related(analysis, also)).map(|also| vec![also]),
            ..diagnostic(range, wrong.severity, message(wrong))
        });
    }
    for (path, more) in more {
        let message = format!("{more} more mistakes are in this file: `leoctl validate` has them all");
        said.entry(path).or_default().push(diagnostic(Default::default(), Severity::Error, message));
    }
    said
}

/// Another place that something wrong is about.
fn related(analysis: &Analysis, (span, said): &(Span, &str)) -> Option<DiagnosticRelatedInformation> {
    let (path, text) = analysis.texts.get(span.file)?;
    let location = location(path, text, (span.range.start, span.range.end))?;
    Some(DiagnosticRelatedInformation { location, message: (*said).to_owned() })
}

fn diagnostic(range: Range, severity: Severity, message: String) -> Diagnostic {
    Diagnostic {
        range,
        severity: Some(match severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        source: Some("leoctl".to_owned()),
        message,
        ..Diagnostic::default()
    }
}

/// What is wrong and what to do.
fn message(wrong: &diagnostic::Diagnostic) -> String {
    let label = Some(&wrong.label).filter(|label| !label.is_empty());
    let rest = label.into_iter().chain(&wrong.help);
    std::iter::once(&wrong.message).chain(rest).map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn markdown(text: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value: text }
}

/// What may be written.
pub fn completion(text: &str, offer: Offer) -> CompletionResponse {
    let range = Places::of(text).lines(&offer.range);
    let items = offer.items.into_iter().map(|item| CompletionItem {
        kind: Some(match item.sort {
            Sort::Type => CompletionItemKind::CLASS,
            Sort::Key => CompletionItemKind::PROPERTY,
            Sort::Value => CompletionItemKind::ENUM_MEMBER,
            Sort::Name => CompletionItemKind::VARIABLE,
            Sort::Function => CompletionItemKind::FUNCTION,
            Sort::Root => CompletionItemKind::KEYWORD,
            Sort::File => CompletionItemKind::FILE,
        }),
        detail: Some(item.detail).filter(|detail| !detail.is_empty()),
        documentation: Some(item.doc).filter(|doc| !doc.is_empty()).map(|doc| Documentation::MarkupContent(markdown(doc))),
        sort_text: Some(format!("{}{}", item.rank, item.label)),
        filter_text: Some(item.label.clone()),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: item.insert })),
        label: item.label,
        ..CompletionItem::default()
    });
    CompletionResponse::List(CompletionList { is_incomplete: offer.is_partial, items: items.collect() })
}

/// What there is to say.
pub fn hover(text: &str, said: hover::Said) -> Hover {
    Hover { range: Some(Places::of(text).lines(&said.range)), contents: HoverContents::Markup(markdown(said.text)) }
}

/// A place in a file.
pub fn location(path: &Path, text: &str, (start, end): (usize, usize)) -> Option<Location> {
    Some(Location { uri: Uri::from_file_path(path)?, range: Places::of(text).lines(&(start..end)) })
}

/// Changes of files of these analyses.
pub fn edits(analyses: &[&Analysis], edits: Vec<Edit>) -> WorkspaceEdit {
    let text = |path: &Path| analyses.iter().find_map(|analysis| Some(analysis.file(path)?.text));
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for Edit { path, range, text: new_text } in edits {
        let Some((uri, text)) = Uri::from_file_path(&path).zip(text(&path)) else { continue };
        changes.entry(uri).or_default().push(TextEdit { range: Places::of(text).lines(&range), new_text });
    }
    WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
}

/// Something that may be done.
pub fn action(file: InFile<'_>, action: Action) -> CodeActionOrCommand {
    let wrong = action.of.iter().flat_map(|of| {
        let here = said(file.analysis).remove(file.path).unwrap_or_default();
        here.into_iter().filter(|one| one.message.starts_with(of.as_str())).take(1).collect::<Vec<_>>()
    });
    CodeActionOrCommand::CodeAction(CodeAction {
        title: action.title,
        kind: Some(if action.of.is_some() { CodeActionKind::QUICKFIX } else { CodeActionKind::REFACTOR_REWRITE }),
        is_preferred: action.of.is_some().then_some(true),
        diagnostics: Some(wrong.collect()),
        edit: Some(edits(&[file.analysis], action.edits)),
        ..CodeAction::default()
    })
}

/// What a file declares.
#[expect(deprecated, reason = "the protocol's own structure has the field")]
pub fn symbols(text: &str, declared: Vec<Declared>) -> Vec<DocumentSymbol> {
    let places = Places::of(text);
    let symbol = |one: Declared| DocumentSymbol {
        name: one.name,
        detail: None,
        kind: match one.kind {
            Kind::Resource => SymbolKind::CLASS,
            Kind::Data => SymbolKind::INTERFACE,
            Kind::Module => SymbolKind::MODULE,
            Kind::Variable | Kind::Local => SymbolKind::VARIABLE,
            Kind::Output => SymbolKind::PROPERTY,
            Kind::Section => SymbolKind::NAMESPACE,
        },
        tags: None,
        deprecated: None,
        range: places.lines(&one.range),
        selection_range: places.lines(&one.own),
        children: None,
    };
    declared.into_iter().map(symbol).collect()
}

/// What stands at the end of a line.
pub fn hint(places: &Places<'_>, hint: Hint) -> InlayHint {
    InlayHint {
        position: places.position(hint.at),
        label: InlayHintLabel::String(hint.text),
        kind: None,
        text_edits: None,
        tooltip: Some(InlayHintTooltip::String(hint.tooltip.to_owned())),
        padding_left: Some(true),
        padding_right: None,
        data: None,
    }
}
