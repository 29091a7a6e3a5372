"""How much of a document was learned: questions, judging, intervals and the report. Nothing here trains."""
