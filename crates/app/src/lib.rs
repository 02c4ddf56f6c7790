//! What people and machines do: upload, finalise, publish, deploy, load.
