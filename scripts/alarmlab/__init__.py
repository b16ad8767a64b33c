"""A laboratory for alarms: Mosquitto with a list of who may say what, the gateway, the service, and their killer."""
