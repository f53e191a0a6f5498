//! `leoctl graph`: the stack's resources and what uses what, as text or as a picture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{Colours, GraphArgs, GraphFormat};
use super::session::Session;
use super::{CliError, Context, Exit, cost, project, saved};
use crate::ui::graph::{Drawing, dot, html, mermaid, svg};
use crate::{disk, ui};
use leoctl_core::graph::fold::folded;
use leoctl_core::graph::{self, Graph};
use leoctl_core::model::address::Address;
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;

/// What each resource costs a month.
type Costs = BTreeMap<Address, f64>;

/// Shows the stack as a graph.
pub async fn run(context: &Context, args: &GraphArgs) -> Result<Exit, CliError> {
    if let Some(ending) = args.unknown_ending() {
        let help = "`-o` takes a file that ends in `.svg`, `.html`, `.mmd` or `.dot`; of any other, `--format` says what is written";
        return Err(CliError::usage(&format!("there is no picture whose file ends in `.{ending}`"), help));
    }
    let (path, text) = drawn(context, args).await?;
    match &args.out {
        None => ui::terminal::exact(&format!("{text}\n")),
        Some(file) => write(context, file, &text)?,
    }
    path.iter().for_each(|path| project::remember(path));
    Ok(Exit::Done)
}

/// The stack as a graph in the format that is asked for, and the stack file, unless a saved plan was named instead.
pub async fn drawn(context: &Context, args: &GraphArgs) -> Result<(Option<PathBuf>, String), CliError> {
    let Seen { path, graph, costs } = seen(context, args).await?;
    let graph = if args.data { graph } else { graph.without_data() };
    let text = rendered(args, &graph, costs.as_ref());
    Ok((path, text))
}

/// What there is to draw.
struct Seen {
    /// The stack file; none of a saved plan, which says by itself what it is of.
    path: Option<PathBuf>,
    graph: Graph,
    /// What each resource costs, where a plan says it.
    costs: Option<Costs>,
}

async fn seen(context: &Context, args: &GraphArgs) -> Result<Seen, CliError> {
    let (stack, colours) = args.subject();
    if let Colours::Saved(file) = colours {
        return of_plan(None, &saved::planned(context, &file, stack).await?.plan);
    }
    let path = project::stack_file(stack, context)?;
    if colours == Colours::Written {
        let graph = graph::of_stack(&project::find(&path, &context.global)?);
        return Ok(Seen { path: Some(path), graph, costs: None });
    }
    let session = Session::open(context, &path).await?;
    let plan = session.plan(&Options::default(), true).await?.plan;
    of_plan(Some(path), &plan)
}

fn of_plan(path: Option<PathBuf>, plan: &Plan) -> Result<Seen, CliError> {
    Ok(Seen { path, graph: graph::of_plan(plan), costs: Some(cost::of_each(plan)?) })
}

fn rendered(args: &GraphArgs, graph: &Graph, costs: Option<&Costs>) -> String {
    let few = folded(graph);
    let drawing = Drawing::new(if args.all { graph } else { &few }, costs);
    match args.format() {
        GraphFormat::Dot => dot::render(&drawing),
        GraphFormat::Mermaid => mermaid::render(&drawing),
        GraphFormat::Svg => svg::render(&drawing),
        // The page has both, unless they are the same.
        GraphFormat::Html if args.all || few.nodes.len() == graph.nodes.len() => html::render(&drawing, None),
        GraphFormat::Html => html::render(&drawing, Some(&Drawing::new(graph, costs))),
    }
}

fn write(context: &Context, file: &Path, text: &str) -> Result<(), CliError> {
    let failed = |failed: disk::Failed| {
        let why = disk::words(&failed.error);
        CliError::usage(&format!("cannot write {}: {why}", file.display()), "name a file that can be written")
    };
    disk::replace(file, &format!("{text}\n")).map_err(failed)?;
    context.say(&format!("Written: {}", file.display()));
    Ok(())
}
