#!/bin/sh
# Install the peers, each into an environment of its own: benchmarks/peers/install.sh FOLDER [PEER ...]
# FOLDER is to lie outside the project. Plain k-means needs nothing that Clio has not; UMAP is what Toponymy's documentation begins with.
set -eu
folder=$1
shift
[ $# -gt 0 ] || set -- bertopic==0.17.4 toponymy==0.5.4 kura==0.5.4
mkdir -p "$folder"
for peer; do
    environment=$folder/${peer%%==*}
    [ -x "$environment/bin/python" ] || python3 -m venv "$environment"
    # first, so that no peer brings one for a GPU
    "$environment/bin/pip" install --quiet torch==2.13.0
    "$environment/bin/pip" install --quiet "$peer" umap-learn==0.5.12
    echo "$peer is in $environment"
done
