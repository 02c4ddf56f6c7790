mod authority;
mod client_certificates;
mod protocols;
mod reload;
