"""Value-added by hand: for those who must explain it on a blackboard."""
