"""Reports: the result JSON, and what people read. Every writer takes the JSON's data, so saved results print alike."""
