//! The one way to mount a route: by saying what it takes of whoever asks.
//!
//! `axum`'s own `Router::route` is banned (`clippy.toml`), so that no route comes to be without a right, and the list of
//! all routes is what the router itself was built from. The matrix test asks every one of them with every kind of caller.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::ApiState;

/// What a route takes of who asks, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Takes {
    /// Nothing: anybody may ask, without credentials.
    Nobody,
    /// Being somebody: it shows or touches only what the caller may see, or what is the caller's.
    Somebody,
    /// READ on what the request names.
    Read,
    /// EDIT on what the request names.
    Edit,
    /// MANAGE on what the request names.
    Manage,
    /// Being an administrator, or a grant on the directory, ledger or policies, which only administrators give.
    Administrator,
}

/// A mounted route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET`, `POST`, …; `ANY` for all of them.
    pub method: &'static str,
    /// The whole path, with `{name}` and `{*name}` for what varies.
    pub path: String,
    /// What it takes.
    pub takes: Takes,
}

/// Routes, each with its right.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    open: Router<ApiState>,
    protected: Router<ApiState>,
    endpoints: Vec<Endpoint>,
}

/// The methods of one path.
#[derive(Debug, Default)]
pub(crate) struct Methods {
    open: Option<MethodRouter<ApiState>>,
    protected: Option<MethodRouter<ApiState>>,
    takes: Vec<(&'static str, Takes)>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Mounts `methods` at `path`.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that may")]
    pub(crate) fn route(mut self, path: &str, methods: Methods) -> Self {
        let Methods { open, protected, takes } = methods;
        if let Some(methods) = open {
            self.open = self.open.route(path, methods);
        }
        if let Some(methods) = protected {
            self.protected = self.protected.route(path, methods);
        }
        self.endpoints.extend(takes.into_iter().map(|(method, takes)| Endpoint {
            method,
            path: path.to_owned(),
            takes,
        }));
        self
    }

    /// All routes of `other` too.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.open = self.open.merge(other.open);
        self.protected = self.protected.merge(other.protected);
        self.endpoints.extend(other.endpoints);
        self
    }

    /// All routes of `other`, below `prefix`. Their handlers see the path without it.
    pub(crate) fn nest(mut self, prefix: &str, other: Self) -> Self {
        // A router without routes below a prefix would still swallow what lies there.
        let (mut open, mut protected) = (false, false);
        for endpoint in other.endpoints {
            if endpoint.takes == Takes::Nobody {
                open = true
            } else {
                protected = true
            }
            let path = format!("{prefix}{}", endpoint.path);
            self.endpoints.push(Endpoint { path, ..endpoint });
        }
        if open {
            self.open = self.open.nest(prefix, other.open);
        }
        if protected {
            self.protected = self.protected.nest(prefix, other.protected);
        }
        self
    }

    /// Every route, as it was mounted.
    pub(crate) fn endpoints(self) -> Vec<Endpoint> {
        self.endpoints
    }

    /// Every route, while they are still mounted.
    pub(super) fn list(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Those that anybody may ask, and those that want credentials.
    pub(super) fn into_parts(self) -> (Router<ApiState>, Router<ApiState>) {
        (self.open, self.protected)
    }
}

impl Methods {
    fn add<H, T>(mut self, method: &'static str, filter: MethodFilter, takes: Takes, handler: H) -> Self
    where
        H: Handler<T, ApiState>,
        T: 'static,
    {
        self.takes.push((method, takes));
        let place = if takes == Takes::Nobody { &mut self.open } else { &mut self.protected };
        *place = Some(match place.take() {
            Some(methods) => methods.on(filter, handler),
            None => on(filter, handler),
        });
        self
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $text:literal $filter:expr;)*) => {
        $(
            $(#[$doc])*
            #[allow(dead_code, reason = "not every method is in use at all times")]
            pub(crate) fn $name<H, T>(takes: Takes, handler: H) -> Methods
            where
                H: Handler<T, ApiState>,
                T: 'static,
            {
                Methods::default().$name(takes, handler)
            }
        )*
        impl Methods {
            $(
                $(#[$doc])*
                #[allow(dead_code, reason = "not every method is in use at all times")]
                pub(crate) fn $name<H, T>(self, takes: Takes, handler: H) -> Self
                where
                    H: Handler<T, ApiState>,
                    T: 'static,
                {
                    self.add($text, $filter, takes, handler)
                }
            )*
        }
    };
}

methods! {
    /// GET, and HEAD with it.
    get "GET" MethodFilter::GET;
    /// POST.
    post "POST" MethodFilter::POST;
    /// PUT.
    put "PUT" MethodFilter::PUT;
    /// PATCH.
    patch "PATCH" MethodFilter::PATCH;
    /// DELETE.
    delete "DELETE" MethodFilter::DELETE;
    /// Every method.
    any "ANY" MethodFilter::GET
        .or(MethodFilter::POST)
        .or(MethodFilter::PUT)
        .or(MethodFilter::PATCH)
        .or(MethodFilter::DELETE)
        .or(MethodFilter::OPTIONS)
        .or(MethodFilter::TRACE);
}
