//! Repository traits and the one transaction of the catalog.
