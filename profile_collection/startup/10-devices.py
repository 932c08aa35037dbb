"""The devices, by the names a user types."""

beam, probe, haadf, eds, eels = daisy.beam, daisy.probe, daisy.haadf, daisy.eds, daisy.eels
energy_offset = daisy.energy_offset
