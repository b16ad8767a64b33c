"""The face of everybody: services, prices, policies and published results, for old eyes too."""
