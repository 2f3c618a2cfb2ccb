package transport

// Patience is patience.
var Patience = patience
