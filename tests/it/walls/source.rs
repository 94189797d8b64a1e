//! Reads Rust files as a compiler reads them: which names each module holds, and every path it
//! names — in imports, bodies, types, attributes and macros.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree};

/// The names from the crate's root to a module; empty for the root.
pub type Place = Vec<String>;

/// What one module holds. A `mod x { … }` inside a file is a scope of its own.
#[derive(Default)]
pub struct Scope {
    pub modules: BTreeSet<String>,
    pub items: BTreeSet<String>,
    /// Imported name → the path that it stands for, as written here.
    pub imports: BTreeMap<String, Vec<String>>,
    /// `use …::*`
    pub globs: Vec<Vec<String>>,
}

/// One path as written.
pub struct Reference {
    pub scope: Place,
    pub path: Vec<String>,
    pub line: usize,
    /// Of a `use`: a name alone is then a module or a crate, not a variable.
    pub is_import: bool,
    pub in_test: bool,
}

#[derive(Default)]
pub struct Source {
    pub scopes: BTreeMap<Place, Scope>,
    pub references: Vec<Reference>,
    /// Modules in files of their own that exist in tests only.
    pub test_modules: Vec<Place>,
    /// `#[path = …]` and `include!`, with their lines: text from elsewhere.
    pub foreign: Vec<(usize, String)>,
}

/// Reads the text of the module at `place`.
pub fn read(place: &[String], text: &str) -> syn::Result<Source> {
    let file = syn::parse_file(text)?;
    let mut reader = Reader { at: place.to_vec(), in_test: false, source: Source::default() };
    reader.source.scopes.entry(place.to_vec()).or_default();
    reader.visit_file(&file);
    Ok(reader.source)
}

struct Reader {
    at: Place,
    in_test: bool,
    source: Source,
}

impl Reader {
    fn scope(&mut self) -> &mut Scope {
        self.source.scopes.entry(self.at.clone()).or_default()
    }

    fn name(&mut self, path: Vec<String>, line: usize, is_import: bool) {
        let (scope, in_test) = (self.at.clone(), self.in_test);
        self.source.references.push(Reference { scope, path, line, is_import, in_test });
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>) {
        let line = tree.span().start().line;
        match tree {
            UseTree::Path(it) => {
                path.push(plain(&it.ident));
                self.import(&it.tree, path);
            }
            UseTree::Group(it) => it.items.iter().for_each(|tree| self.import(tree, path.clone())),
            UseTree::Glob(_) => {
                self.name(path.clone(), line, true);
                // What a test takes in whole is not there for others.
                if !self.in_test || self.at.iter().any(|name| name == "tests") {
                    self.scope().globs.push(path);
                }
            }
            UseTree::Name(it) => self.bind(path, &plain(&it.ident), None, line),
            UseTree::Rename(it) => {
                self.bind(path, &plain(&it.ident), Some(plain(&it.rename)), line)
            }
        }
    }

    fn bind(&mut self, mut path: Vec<String>, name: &str, rename: Option<String>, line: usize) {
        if name != "self" {
            path.push(name.to_owned());
        }
        let bound = rename.or_else(|| path.last().cloned()).unwrap_or_default();
        self.name(path.clone(), line, true);
        self.scope().imports.insert(bound, path);
    }

    /// Paths in the tokens of a macro or an attribute, which no parser knows. `prefix`: what stands
    /// before a group, `crate::{…}`.
    fn scan(&mut self, tokens: TokenStream, prefix: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == sign);
        let colons = |at: usize| is(at, ':') && is(at + 1, ':');
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            let at = next;
            next += 1;
            let ident = match token {
                TokenTree::Group(group) => {
                    self.scan(group.stream(), prefix);
                    continue;
                }
                TokenTree::Ident(ident) => ident,
                TokenTree::Literal(_) | TokenTree::Punct(_) => continue,
            };
            let (line, first) = (ident.span().start().line, plain(ident));
            let is_metavariable = at >= 1 && is(at - 1, '$') && first != "crate";
            // `x.name`, but not `0..name`.
            let is_member = at >= 1 && is(at - 1, '.') && !(at >= 2 && is(at - 2, '.'));
            let goes_on = at >= 2
                && colons(at - 2)
                && matches!(tokens.get(at.wrapping_sub(3)), Some(it) if ends_a_path(it));
            let mut path = prefix.to_vec();
            path.push(first);
            while colons(next) {
                match tokens.get(next + 2) {
                    Some(TokenTree::Ident(ident)) => path.push(plain(ident)),
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                        self.scan(group.stream(), &path);
                        next += 3;
                        break;
                    }
                    _ => break,
                }
                next += 3;
            }
            if !is_metavariable && !is_member && !goes_on {
                self.name(path, line, false);
            }
        }
    }
}

fn ends_a_path(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(it) => it.as_char() == '>',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}

fn plain(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| match &it.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::NameValue(_) => false,
    })
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<&proc_macro2::Ident> {
    match item {
        Item::Const(it) => Some(&it.ident),
        Item::Enum(it) => Some(&it.ident),
        Item::Fn(it) => Some(&it.sig.ident),
        Item::Macro(it) => it.ident.as_ref(),
        Item::Static(it) => Some(&it.ident),
        Item::Struct(it) => Some(&it.ident),
        Item::Trait(it) => Some(&it.ident),
        Item::Type(it) => Some(&it.ident),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let was_in_test = self.in_test;
        self.in_test |= is_test(attributes_of(item));
        if let Some(name) = name_of(item) {
            let name = plain(name);
            self.scope().items.insert(name);
        }
        visit::visit_item(self, item);
        self.in_test = was_in_test;
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let name = plain(&module.ident);
        let is_elsewhere = module.attrs.iter().find(|it| it.path().is_ident("path"));
        if let Some(attribute) = is_elsewhere {
            let line = attribute.span().start().line;
            self.source.foreign.push((line, format!("#[path] mod {name}")));
            return;
        }
        self.scope().modules.insert(name.clone());
        self.at.push(name);
        if module.content.is_some() {
            self.source.scopes.entry(self.at.clone()).or_default();
        } else if self.in_test {
            self.source.test_modules.push(self.at.clone());
        }
        visit::visit_item_mod(self, module);
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // `use ::name` can only mean an outside crate.
        self.import(&item.tree, Vec::new());
        item.attrs.iter().for_each(|it| self.visit_attribute(it));
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let line = item.span().start().line;
        self.name(vec![plain(&item.ident)], line, true);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let line = path.span().start().line;
        self.name(names(path), line, false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, makro: &'ast syn::Macro) {
        if makro.path.is_ident("include") {
            let line = makro.span().start().line;
            self.source.foreign.push((line, "include!".to_owned()));
        }
        self.visit_path(&makro.path);
        self.scan(makro.tokens.clone(), &[]);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        self.visit_path(attribute.path());
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone(), &[]);
            // serde takes paths as text: `#[serde(default = "crate::…")]`.
            for text in texts(list.tokens.clone()) {
                if let Ok(path) = syn::parse_str::<syn::Path>(&text)
                    && path.segments.len() > 1
                {
                    let line = attribute.span().start().line;
                    self.name(names(&path), line, false);
                }
            }
        }
    }
}

fn names(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|it| plain(&it.ident)).collect()
}

fn texts(tokens: TokenStream) -> Vec<String> {
    let text = |token| match token {
        TokenTree::Literal(literal) => syn::parse_str::<syn::LitStr>(&literal.to_string())
            .map(|it| vec![it.value()])
            .unwrap_or_default(),
        TokenTree::Group(group) => texts(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) => Vec::new(),
    };
    tokens.into_iter().flat_map(text).collect()
}
