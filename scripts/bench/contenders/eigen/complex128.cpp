#include "eigen.hpp"

template bench::Offer eigen::offer_of<std::complex<double>>(bench::Line& line, bool is_fixed);
