//! `leoctl graph`: the stack's resources and what uses what, as text or as a picture.

use std::collections::BTreeMap;
use std::path::Path;

use super::args::{GraphArgs, GraphFormat};
use super::session::Session;
use super::{CliError, Context, Exit, cost, project};
use crate::ui::graph::{Drawing, dot, html, mermaid, svg};
use crate::{disk, ui};
use leoctl_core::graph::fold::folded;
use leoctl_core::graph::{self, Graph};
use leoctl_core::model::address::Address;
use leoctl_core::plan::select::Options;

/// What each resource costs a month.
type Costs = BTreeMap<Address, f64>;

/// Shows the stack as a graph.
pub async fn run(context: &Context, args: &GraphArgs) -> Result<Exit, CliError> {
    let path = project::stack_file(args.stack.as_deref(), context)?;
    let (graph, costs) = if args.plan { planned(context, &path).await? } else { (written(context, &path)?, None) };
    let graph = if args.data { graph } else { graph.without_data() };
    let text = rendered(args, &graph, costs.as_ref());
    match &args.out {
        None => ui::terminal::exact(&format!("{text}\n")),
        Some(file) => write(context, file, &text)?,
    }
    project::remember(&path);
    Ok(Exit::Done)
}

/// The graph of a stack as its file has it.
fn written(context: &Context, path: &Path) -> Result<Graph, CliError> {
    Ok(graph::of_stack(&project::find(path, &context.global)?))
}

/// The graph of a plan that is made now.
async fn planned(context: &Context, path: &Path) -> Result<(Graph, Option<Costs>), CliError> {
    let session = Session::open(context, path).await?;
    let plan = session.plan(&Options::default(), true).await?.plan;
    let costs = cost::of_each(&plan)?;
    Ok((graph::of_plan(&plan), Some(costs)))
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
