"""When something recurs: after this instant, when next. Pure; whoever asks brings the instant."""
