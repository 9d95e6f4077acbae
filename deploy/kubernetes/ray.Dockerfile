# A project with its agents, on Ray: the same image for the head and the workers.
FROM rayproject/ray:2.60.0-py312

# From the folder of your project, whose pyproject.toml names linenotes[ray] and what else it needs.
WORKDIR /srv/project
COPY --chown=ray . .
RUN pip install --no-cache-dir .
