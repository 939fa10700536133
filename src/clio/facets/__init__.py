"""What is known of each conversation: computed, found locally, or answered by a chat model."""
