"""Items and banks that instructors write in the browser: drafts, reviews, publications, and their history."""
