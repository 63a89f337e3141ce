//! An autoscaler that never touches a cluster: it reads what is live, decides, and opens pull requests.

pub mod forge;
pub mod git;
pub mod model;
pub mod policy;
pub mod yaml;
