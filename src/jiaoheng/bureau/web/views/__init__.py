"""One module a subject: the door, the service, the page."""
