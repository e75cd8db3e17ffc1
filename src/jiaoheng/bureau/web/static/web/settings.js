// The system settings' library would write a style element of its own into the page and evaluate what answers carry:
// the content policy lets neither in. What it would write stands in settings.css.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
