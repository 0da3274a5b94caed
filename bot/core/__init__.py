"""The pure rules: canonical form, proposals, states, approval, policy, cards, the Merkle log."""
