"""dramatiq on Redis: jobs that carry ids only. It only rings bells: the database says what is due."""
