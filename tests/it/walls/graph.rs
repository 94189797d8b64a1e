//! Who knows whom: every path that a module names, followed through imports and re-exports to the
//! module that holds it.

use super::source::{Place, Reference, Scope, Source, read};
use std::collections::{BTreeMap, BTreeSet};

/// Re-exports of re-exports end sooner than this.
const HOPS_MAX: usize = 16;

/// What a path leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A module of ours: the one that holds the thing.
    Ours(Place),
    /// An outside crate, and the path inside it.
    Outside(Vec<String>),
}

/// One file that names something.
pub struct Use {
    pub file: String,
    pub line: usize,
    pub from: Place,
    /// As written.
    pub path: Vec<String>,
    /// The module of ours at the crate's root that the path itself names, if any.
    pub named: Option<String>,
    pub target: Target,
    pub in_test: bool,
}

impl Use {
    pub fn shown(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.path.join("::"))
    }
}

/// All modules of the library.
pub struct Tree {
    scopes: BTreeMap<Place, Scope>,
    outside: BTreeSet<String>,
    /// Module → its file.
    files: BTreeMap<Place, String>,
    references: Vec<(String, Reference)>,
    /// Every path that leads to another module or to an outside crate.
    pub uses: Vec<Use>,
    pub foreign: Vec<String>,
}

impl Tree {
    /// `files`: path (`src/camera/gst.rs`) and text. `outside`: the names of outside crates, as
    /// code writes them.
    pub fn new(files: &[(String, String)], outside: impl IntoIterator<Item = String>) -> Self {
        let mut tree = Self {
            scopes: BTreeMap::new(),
            outside: outside
                .into_iter()
                .chain(["std", "core", "alloc"].map(str::to_owned))
                .collect(),
            files: BTreeMap::new(),
            references: Vec::new(),
            uses: Vec::new(),
            foreign: Vec::new(),
        };
        let mut tests: Vec<Place> = Vec::new();
        for (file, text) in files {
            let place = place_of(file);
            let read = read(&place, text).unwrap_or_else(|e| panic!("{file}: {e}"));
            let Source { scopes, references, test_modules, foreign } = read;
            tree.scopes.extend(scopes);
            tree.references.extend(references.into_iter().map(|it| (file.clone(), it)));
            tests.extend(test_modules);
            tree.foreign
                .extend(foreign.into_iter().map(|(line, what)| format!("{file}:{line}: {what}")));
            tree.files.insert(place, file.clone());
        }
        for (_, reference) in &mut tree.references {
            reference.in_test |= tests.iter().any(|it| reference.scope.starts_with(it));
        }
        tree.uses = tree.find_uses();
        tree
    }

    fn find_uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        for (file, Reference { scope, path, line, is_import, in_test }) in &self.references {
            let target = match is_import {
                true => self.resolve_import(scope, path, &[], HOPS_MAX),
                false => self.resolve(scope, path, HOPS_MAX),
            };
            let Some(target) = target else { continue };
            // A variable may have the name of a crate.
            if matches!(target, Target::Outside(_)) && path.len() == 1 && !is_import {
                continue;
            }
            let from = self.module_of(scope);
            if target != Target::Ours(from.clone()) {
                let named = self.named(scope, path);
                let (file, line, path, in_test) = (file.clone(), *line, path.clone(), *in_test);
                uses.push(Use { file, line, from, path, named, target, in_test });
            }
        }
        uses
    }

    /// The module with a file of its own that holds a scope.
    fn module_of(&self, scope: &[String]) -> Place {
        let mut at = scope.to_vec();
        while !self.files.contains_key(&at) && at.pop().is_some() {}
        at
    }

    fn named(&self, scope: &[String], path: &[String]) -> Option<String> {
        match path.first()?.as_str() {
            "crate" => path.get(1).cloned(),
            "super" | "self" => {
                let mut at = scope.to_vec();
                for (n, name) in path.iter().enumerate() {
                    match name.as_str() {
                        "super" => _ = at.pop(),
                        "self" => {}
                        _ if at.is_empty() => return path.get(n).cloned(),
                        _ => return at.first().cloned(),
                    }
                }
                at.first().cloned()
            }
            _ => None,
        }
    }

    fn resolve(&self, scope: &[String], path: &[String], hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            // The binary knows the library by its name.
            "crate" | "huoyan" => self.walk(Vec::new(), rest, hops),
            "self" => self.walk(scope.to_vec(), rest, hops),
            "super" => self.walk(scope.split_last()?.1.to_vec(), rest, hops),
            _ => {
                let here = self.scopes.get(scope)?;
                // A local variable or a generic may have any name: alone, a name counts only if it
                // comes from a glob.
                let is_ours = here.imports.contains_key(first) || here.items.contains(first);
                if rest.is_empty() && is_ours {
                    return None;
                }
                if let Some(target) = self.inside(scope, first, rest, hops) {
                    return Some(target);
                }
                (self.outside.contains(first) && !here.items.contains(first))
                    .then(|| Target::Outside(path.to_vec()))
            }
        }
    }

    fn walk(&self, mut at: Place, path: &[String], hops: usize) -> Option<Target> {
        let Some((first, rest)) = path.split_first() else {
            return Some(Target::Ours(self.module_of(&at)));
        };
        match first.as_str() {
            "self" => self.walk(at, rest, hops),
            "super" => {
                at.pop()?;
                self.walk(at, rest, hops)
            }
            _ => self
                .inside(&at, first, rest, hops)
                .or_else(|| Some(Target::Ours(self.module_of(&at)))),
        }
    }

    /// What `name` means in a module; None: an item of its own, or nothing.
    fn inside(&self, at: &[String], name: &str, rest: &[String], hops: usize) -> Option<Target> {
        let here = self.scopes.get(at)?;
        if here.modules.contains(name) {
            let mut child = at.to_vec();
            child.push(name.to_owned());
            return self.walk(child, rest, hops);
        }
        if let Some(path) = here.imports.get(name) {
            return self.resolve_import(at, path, rest, hops);
        }
        if here.items.contains(name) {
            return None;
        }
        here.globs.iter().find_map(|glob| {
            let Some(Target::Ours(from)) = self.resolve_import(at, glob, &[], hops) else {
                return None;
            };
            let there = self.scopes.get(&from)?;
            let has = there.modules.contains(name)
                || there.imports.contains_key(name)
                || there.items.contains(name);
            has.then(|| {
                self.walk(
                    from,
                    &[vec![name.to_owned()], rest.to_vec()].concat(),
                    hops.checked_sub(1)?,
                )
            })?
        })
    }

    fn resolve_import(
        &self,
        at: &[String],
        path: &[String],
        rest: &[String],
        hops: usize,
    ) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let whole: Vec<String> = path.iter().chain(rest).cloned().collect();
        match whole.first()?.as_str() {
            "crate" | "self" | "super" => self.resolve(at, &whole, hops),
            first => {
                // `use a::b` begins at a module beside it or at an outside crate; it is not another
                // import.
                let here = self.scopes.get(at)?;
                if here.modules.contains(first) {
                    return self.inside(at, first, &whole[1..], hops);
                }
                if let Some(other) = here.imports.get(first).filter(|it| it.as_slice() != path) {
                    return self.resolve_import(at, other, &whole[1..], hops);
                }
                self.outside.contains(first).then(|| Target::Outside(whole.clone()))
            }
        }
    }

    /// For every folder, who of its children knows whom (outside tests), each with one line that
    /// shows it. A folder counts with all that is below it, so a circle anywhere is a circle
    /// between the children of some folder.
    pub fn folders(&self) -> BTreeMap<Place, Edges> {
        let mut folders: BTreeMap<Place, Edges> = BTreeMap::new();
        for it in self.uses.iter().filter(|it| !it.in_test) {
            let Target::Ours(to) = &it.target else { continue };
            let shared = it.from.iter().zip(to).take_while(|(a, b)| a == b).count();
            // A module and what is below it may know each other.
            if let (Some(from), Some(to)) = (it.from.get(shared), to.get(shared)) {
                let edges = folders.entry(it.from[..shared].to_vec()).or_default();
                edges
                    .entry(from.clone())
                    .or_default()
                    .entry(to.clone())
                    .or_insert_with(|| it.shown());
            }
        }
        folders
    }
}

/// From → to → the line that shows it.
pub type Edges = BTreeMap<String, BTreeMap<String, String>>;

/// One circle, from a name back to it; None where there is none.
pub fn circle(edges: &Edges) -> Option<Vec<String>> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    edges.keys().find_map(|from| visit(edges, from, &mut Vec::new(), &mut done))
}

fn visit<'a>(
    edges: &'a Edges,
    at: &'a str,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<String>> {
    if let Some(begin) = way.iter().position(|it| *it == at) {
        return Some(way[begin..].iter().chain([&at]).map(|it| (*it).to_owned()).collect());
    }
    if done.contains(at) {
        return None;
    }
    way.push(at);
    let found =
        edges.get(at).and_then(|next| next.keys().find_map(|to| visit(edges, to, way, done)));
    way.pop();
    done.insert(at);
    found
}

/// `src/camera/gst.rs` → camera, gst; `src/web/mod.rs` → web; `src/lib.rs` → the root.
fn place_of(file: &str) -> Place {
    let inside = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut place: Place = inside.split('/').map(str::to_owned).collect();
    if place.last().is_some_and(|it| it == "mod") || inside == "lib" {
        place.pop();
    }
    place
}
